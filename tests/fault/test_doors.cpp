// SPDX-License-Identifier: MIT
// An apply, a reboot, a Puppet run and a hold contend for one slot through their doors, while
// the server is killed and started again on its store. Never do two have the slot, and no
// token is granted twice.
#include <stdlib.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <mutex>
#include <thread>

#include "support/daemon.h"
#include "support/fleet.h"
#include "support/history.h"
#include "support/http.h"
#include "support/status.h"
#include "support/test.h"

namespace distributex::test {
namespace {

constexpr size_t doors = 4;
constexpr auto answer_due = milliseconds{3000};

// One client of a door; it repeats each request until it has an answer.
struct Client {
  uint16_t port = 0;
  std::string id{};
  Connection line{};

  std::optional<Response> ask(const std::string& bytes) {
    line = Connection(port);
    if (!line.connected() || !line.send(bytes)) {
      return std::nullopt;
    }
    return line.response(false, answer_due);
  }
  bool says(const std::string& bytes, int status, std::string_view body) {
    const auto response = ask(bytes);
    return response && response->status == status && response->body == body;
  }
};

std::string info_request(std::string_view method, const std::string& id) {
  const std::string body = R"({"ID":")" + id + R"(","Who":"ann@ci"})";
  return std::string(method) + " /terraform/shared HTTP/1.1\r\nHost: x\r\nContent-Length: " +
         std::to_string(body.size()) + "\r\n\r\n" + body;
}

bool lock_apply(Client& c) { return c.says(info_request("LOCK", c.id), 200, ""); }
// 409 means that another ID has the lock, so ours was given back: after a restart the server
// does not know any more which ID gave the lock back last.
bool unlock_apply(Client& c) {
  const auto response = c.ask(info_request("UNLOCK", c.id));
  return response && (response->status == 200 || response->status == 409);
}
bool lock_reboot(Client& c) { return c.says(fleet_request("pre-reboot", c.id, "shared"), 200, ""); }
bool unlock_reboot(Client& c) {
  return c.says(fleet_request("steady-state", c.id, "shared"), 200, "");
}
bool lock_puppet(Client& c) {
  return c.says(get_request("/wait?pool=shared&timeout=1&host=web&id=" + c.id), 200, "YES");
}
bool unlock_puppet(Client& c) {
  return c.says(get_request("/release?pool=shared&host=web&id=" + c.id), 200, "OK");
}
// The lock lasts as long as the connection, so the connection stays open.
bool lock_hold(Client& c) {
  c.line = Connection(c.port);
  if (!c.line.connected() ||
      !c.line.send("GET /hold/?pool=shared&timeout=1&host=hold&id=" + c.id + " HTTP/1.0\r\n\r\n")) {
    return false;
  }
  std::string heard;
  while (heard.find("\r\n\r\n") == heard.npos || heard.ends_with("\r\n\r\n")) {
    std::array<char, 1024> bytes;
    if (!c.line.wait_readable(answer_due)) {
      return false;
    }
    const ssize_t size = read(c.line.fd(), bytes.data(), bytes.size());
    if (size <= 0) {
      return false;
    }
    heard.append(bytes.data(), static_cast<size_t>(size));
  }
  return heard.ends_with("YES\n");
}
bool unlock_hold(Client& c) {
  c.line.close();
  return true;
}

struct DoorRow {
  const char* name;
  bool (*lock)(Client&);
  bool (*unlock)(Client&);
};
constexpr DoorRow rows[doors] = {{"apply", lock_apply, unlock_apply},
                                 {"reboot", lock_reboot, unlock_reboot},
                                 {"puppet", lock_puppet, unlock_puppet},
                                 {"hold", lock_hold, unlock_hold}};

struct Fixture {
  TempDir dir{};
  Daemon daemon{"backend: sqlite\nsqlitefile: " + dir.file("locks.db") +
                "\npools:\n  - name: shared\n    expire: 0\n    fleetlock: true\n"
                "    fleetlock_wait: 1\n"};
  std::mutex mutex{};
  History history{};
  std::atomic<int> inside = 0;
  std::atomic<int> together = 0;
  std::atomic<bool> stopping = false;
  std::array<std::atomic<size_t>, doors> locks{};
  std::vector<std::thread> threads{};

  bool begin() {
    history.slots("shared", 1);
    return daemon.start();
  }
  bool finish() {
    join();
    return daemon.stop();
  }
  void join() {
    stopping = true;
    for (std::thread& thread : threads) {
      thread.join();
    }
    threads.clear();
  }

  // The token of the client's lock; 0 when the server does not tell.
  uint64_t token_of(const Client& client) const {
    const PoolState state = pool_state(client.port, "shared");
    return state.holders.size() == 1 ? static_cast<uint64_t>(state.holders[0].token) : 0;
  }

  void take_turn(size_t door, Client& client) {
    const auto asked = Clock::now();
    while (!rows[door].lock(client)) {
      if (stopping) {
        (void)rows[door].unlock(client);
        return;
      }
    }
    const auto answered = Clock::now();
    together += inside.fetch_add(1) != 0;
    const uint64_t token = token_of(client);
    inside.fetch_sub(1);
    const auto until = Clock::now();
    while (!rows[door].unlock(client) && !stopping) {
    }
    if (token == 0) {
      return;  // the server was down
    }
    const std::lock_guard guard(mutex);
    history.told("shared", client.id, token, asked, answered);
    history.let_go("shared", token, until);
    ++locks[door];
  }

  // port: that of the first start, which each restart uses again.
  void be_client(size_t door, uint16_t port) {
    for (int round = 0; !stopping; ++round) {
      Client client{.port = port, .id = rows[door].name + std::to_string(round)};
      take_turn(door, client);
    }
  }

  bool goes_on(size_t more) {
    std::array<size_t, doors> before{};
    for (size_t i = 0; i < doors; ++i) {
      before[i] = locks[i];
    }
    return eventually(
        [&] {
          for (size_t i = 0; i < doors; ++i) {
            if (locks[i] < before[i] + more) {
              return false;
            }
          }
          return true;
        },
        std::chrono::seconds{60});
  }

  void expect_progress() {
    if (goes_on(5)) {
      return;
    }
    for (const std::string& line : daemon.log_lines()) {
      print_error("%s\n", line.c_str());
    }
    for (size_t i = 0; i < doors; ++i) {
      print_error("%s: %zu locks\n", rows[i].name, locks[i].load());
    }
    fail_msg("%s", "some door has no lock any more");
  }
};

void all_doors_share_one_slot_over_a_kill(void** state) {
  Fixture& f = fixture_of<Fixture>(state);
  for (size_t door = 0; door < doors; ++door) {
    f.threads.emplace_back([&f, door, port = f.daemon.port()] { f.be_client(door, port); });
  }
  // DISTRIBUTEX_TEST_ALL: for a minute, with a kill after each bit of progress.
  const auto until = Clock::now() + std::chrono::seconds(getenv("DISTRIBUTEX_TEST_ALL") ? 60 : 0);
  do {
    f.expect_progress();
    f.daemon.kill_now();
    assert_true(f.daemon.restart());
    f.expect_progress();
  } while (Clock::now() < until);
  f.join();
  for (size_t i = 0; i < doors; ++i) {
    print_message("%s: %zu locks\n", rows[i].name, f.locks[i].load());
  }
  assert_text(f.history.verdict(), "");
  assert_int_equal(f.together, 0);
}

}  // namespace
}  // namespace distributex::test

int main() {
  using namespace distributex::test;
  const CMUnitTest tests[] = {
      test_with(Fixture, all_doors_share_one_slot_over_a_kill),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
