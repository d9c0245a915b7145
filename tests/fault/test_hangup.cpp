// SPDX-License-Identifier: MIT
// Clients that leave at every step of a request, in each of the ways in which
// one can: what is not whole is not carried out, what was granted to nobody is
// free again. Waiters that leave while they wait are in wire/test_hangup.cpp.
#include <sys/socket.h>

#include <atomic>
#include <thread>

#include "support/crowd.h"
#include "support/daemon.h"
#include "support/http.h"
#include "support/rest.h"
#include "support/status.h"
#include "support/test.h"

namespace distributex::test {
namespace {

constexpr std::string_view pools = R"(pools:
  - {name: mutex, expire: 2}
  - {name: one, expire: 600}
  - {name: taken, expire: 600}
)";

struct Fixture {
  Daemon daemon{pools};
  long at_rest = 0;
  Connection control;
  std::string token;  // of the holder of "taken"

  bool begin() {
    if (!daemon.start()) {
      return false;
    }
    at_rest = daemon.open_files();
    control = Connection(daemon.port());
    token = fetch(control, "/get?pool=taken&host=h").header("Distributex-Token");
    return !token.empty();
  }
  bool finish() { return daemon.stop(); }
  uint16_t port() const { return daemon.port(); }

  void check_rest() {
    assert_text(word(control, "/release?pool=taken&host=h&token=" + token), "OK");
    control.close();
    for (const char* pool : {"mutex", "one", "taken"}) {
      assert_text(unrest(daemon, pool, 1, at_rest), "");
    }
  }
};

enum class Leave { fin, rst, half };
constexpr Leave all_ways[] = {Leave::fin, Leave::rst, Leave::half};

void leave(Connection& client, Leave how) {
  switch (how) {
    case Leave::fin:
      return client.close();
    case Leave::rst:
      return client.reset();
    case Leave::half:
      return client.half_close();
  }
}

// --- a part of a request -------------------------------------------------------

// Sends the first bytes of a request and leaves. apart: the daemon reads the bytes before the
// end of the connection, else both at once.
void send_part_and_leave(Fixture& f, std::string_view part, Leave how, bool apart) {
  Connection client(f.port());
  assert_true(client.send(part));
  if (apart) {
    assert_text(word(f.control, "/livez"), "ok\n");
  }
  leave(client, how);
  if (how != Leave::half) {
    return;
  }
  assert_true(client.wait_end() != End::none);
  assert_true(client.unread().find("YES") == std::string::npos);
}

void check_every_part(Fixture& f, const std::string& request) {
  for (size_t size = 0; size < request.size(); size += sanitized ? 5 : 1) {
    for (const Leave how : all_ways) {
      send_part_and_leave(f, std::string_view(request).substr(0, size), how, size % 2 == 0);
    }
  }
  assert_text(holders_of(f.port(), "one"), "");
  assert_text(waiters_of(f.port(), "one"), "");
  const Response held = fetch(f.control, "/get?pool=taken&host=h");
  assert_text(held.header("Distributex-Token"), f.token);
}

void a_part_of_a_request_takes_no_lock(void** state) {
  Fixture& f = fixture_of<Fixture>(state);
  check_every_part(f, get_request("/get?pool=one&host=a"));
  check_every_part(f, get_request("/wait?pool=one&host=a&timeout=9", "Accept: */*\r\n"));
  check_every_part(f, post_request("/get", "pool=one&host=ab"));
  f.check_rest();
}

void a_part_of_a_request_gives_no_lock_back(void** state) {
  Fixture& f = fixture_of<Fixture>(state);
  check_every_part(f, get_request("/release?pool=taken&host=h"));
  check_every_part(f, post_request("/release", "host=h&pool=taken&token=" + f.token));
  f.check_rest();
}

// --- a whole request ------------------------------------------------------------

enum class Step { sent, read, answer_begun };
constexpr Step all_steps[] = {Step::sent, Step::read, Step::answer_begun};

// Leaves at that step of a request. When the answer was on its way the client may have the
// lock afterwards; then a release gives it back, and the next one gets it.
void ask_and_leave(Fixture& f, const std::string& request, Step step, Leave how) {
  Connection client(f.port());
  assert_true(client.send(request));
  char byte = 0;
  if (step == Step::read) {
    assert_text(word(f.control, "/livez"), "ok\n");
  }
  if (step == Step::answer_begun) {
    assert_true(client.wait_readable());
    assert_int_equal(recv(client.fd(), &byte, 1, 0), 1);
  }
  leave(client, how);
  const auto next_has_it = [&] {
    (void)word(f.control, "/release?pool=one&host=a");
    return word(f.control, "/get?pool=one&host=next") == "YES";
  };
  assert_true(eventually(next_has_it));
  if (how == Leave::half) {
    assert_true(client.wait_end() != End::none);
  }
  assert_text(holders_of(f.port(), "one"), "next");
  assert_text(fetch(f.control, "/release?pool=one&host=next").header("Distributex-Result"),
              "released");
}

void a_lock_whose_client_left_goes_to_the_next(void** state) {
  Fixture& f = fixture_of<Fixture>(state);
  const std::string requests[] = {
      get_request("/get?pool=one&host=a"), get_request("/wait?pool=one&host=a"),
      get_request("/get?pool=one&host=a") + get_request("/get?pool=one&host=a"),
      post_request("/wait", "pool=one&host=a")};
  for (const std::string& request : requests) {
    for (const Step step : all_steps) {
      for (const Leave how : all_ways) {
        for (int i = 0; i < 5; i++) {
          ask_and_leave(f, request, step, how);
        }
      }
    }
  }
  f.check_rest();
}

// --- under load ------------------------------------------------------------------

// Asks for the lock, leaves at any byte in any way, and releases the lock that it may have.
void be_rude(uint16_t port, unsigned number, const std::atomic<bool>& stopping) {
  unsigned dice = number;
  const std::string who = "pool=mutex&host=rude" + std::to_string(number);
  const std::string request = get_request((number % 2 == 0 ? "/get?" : "/wait?") + who);
  while (!stopping) {
    dice = dice * 1664525U + 1013904223U;
    const unsigned roll = dice >> 16;
    {
      Connection client(port);
      client.send(std::string_view(request).substr(0, roll % (2 * request.size())));
      if (roll % 7 == 0) {
        (void)client.wait_readable(milliseconds{5});
      }
      leave(client, all_ways[roll % 3]);
    }
    (void)fetch(port, "/release?" + who);
  }
}

void clients_that_leave_in_all_ways_harm_no_others(void** state) {
  Fixture& f = fixture_of<Fixture>(state);
  std::atomic<bool> stopping = false;
  std::vector<std::thread> rude;
  for (unsigned i = 0; i < 6; i++) {
    rude.emplace_back([&f, &stopping, i] { be_rude(f.port(), i, stopping); });
  }
  Crowd crowd({.pool = "mutex", .clients = 12}, std::vector{f.port()});
  crowd.history().slots("mutex", 1);
  const bool gone_on = crowd.goes_on(200);
  stopping = true;
  for (std::thread& one : rude) {
    one.join();
  }
  const bool in_peace = crowd.goes_on(20);
  crowd.stop();
  assert_true(gone_on && in_peace);
  assert_text(crowd.history().verdict(), "");
  f.check_rest();
}

}  // namespace
}  // namespace distributex::test

int main() {
  using namespace distributex::test;
  const CMUnitTest tests[] = {
      test_with(Fixture, a_part_of_a_request_takes_no_lock),
      test_with(Fixture, a_part_of_a_request_gives_no_lock_back),
      test_with(Fixture, a_lock_whose_client_left_goes_to_the_next),
      test_with(Fixture, clients_that_leave_in_all_ways_harm_no_others),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
