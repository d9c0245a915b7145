// SPDX-License-Identifier: MIT
// Many clients at once: thousands that wait, in order, and hundreds that take and give back
// one lock in a loop, while an oracle checks who has the lock.
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>

#include "support/daemon.h"
#include "support/http.h"
#include "support/status.h"
#include "support/test.h"

namespace distributex::test {
namespace {

constexpr std::string_view config = R"(max_connections: 4000
max_waiting: 4000
pools:
  - name: one
  - name: some
    maxlocks: 5
)";

// Room for both ends of so many connections, as far as the machine gives it.
size_t affordable(size_t connections) {
  rlimit limit{};
  getrlimit(RLIMIT_NOFILE, &limit);
  limit.rlim_cur = limit.rlim_max;
  setrlimit(RLIMIT_NOFILE, &limit);
  return std::min<size_t>(connections, limit.rlim_max - 200);
}

class Watch {
 public:
  Watch() : fd_(epoll_create1(EPOLL_CLOEXEC)) {}
  ~Watch() { close(fd_); }
  Watch(const Watch&) = delete;
  Watch& operator=(const Watch&) = delete;

  void add(const Connection& connection, size_t index) const {
    epoll_event event{};
    event.events = EPOLLIN;
    event.data.u64 = index;
    epoll_ctl(fd_, EPOLL_CTL_ADD, connection.fd(), &event);
  }
  // The index of one that has something to read; nothing after the timeout.
  [[nodiscard]] std::optional<size_t> next(milliseconds timeout = patience) const {
    epoll_event event{};
    const int ready = epoll_wait(fd_, &event, 1, static_cast<int>(timeout.count()));
    return ready > 0 ? std::optional<size_t>(size_t{event.data.u64}) : std::nullopt;
  }

 private:
  int fd_;
};

struct Fixture {
  size_t room = affordable(2000);
  Daemon daemon{config};
  Connection control;
  std::vector<Connection> clients;
  Watch watch;

  bool begin() {
    if (!daemon.start()) {
      return false;
    }
    control = Connection(daemon.port());
    return control.connected();
  }
  bool finish() { return daemon.stop(); }

  void connect(size_t count) {
    for (size_t i = 0; i < count; ++i) {
      clients.emplace_back(daemon.port());
      assert_true(clients.back().connected());
      watch.add(clients.back(), i);
    }
  }
};

std::string host(size_t index) { return "h" + std::to_string(index); }

void drains_two_thousand_waiters_in_their_order(void** state) {
  Fixture& f = fixture_of<Fixture>(state);
  assert_text(word(f.control, "/get?pool=one&host=first"), "YES");
  f.connect(f.room);
  for (size_t i = 0; i < f.room; ++i) {
    Connection& waiter = f.clients[i];
    // The first round trip has the connection accepted, the last one the wait read.
    assert_text(word(waiter, "/livez"), "ok\n");
    assert_true(waiter.send(get_request("/wait?pool=one&host=" + host(i))));
    assert_text(word(f.control, "/livez"), "ok\n");
  }
  assert_true(wait_for_waiting(f.daemon.port(), "one", f.room));
  std::string holder = "first";
  long long last_token = 0;
  for (size_t i = 0; i < f.room; ++i) {
    assert_true(f.control.send(get_request("/release?pool=one&host=" + holder)));
    const std::optional<size_t> woken = f.watch.next();
    assert_that(woken == i, "%zd was woken instead of %zu",
                woken ? static_cast<ssize_t>(*woken) : -1, i);
    const Response response = f.clients[i].response().value_or(Response{});
    assert_text(response.body, "YES");
    const long long token = atoll(response.header("Distributex-Token").c_str());
    assert_true(token > last_token);
    last_token = token;
    assert_text(f.control.response()->body, "OK");
    holder = host(i);
  }
  assert_false(f.watch.next(milliseconds{0}).has_value());
  assert_int_equal(pool_state(f.daemon.port(), "one").waiting.size(), 0);
}

void wakes_a_crowd_of_one_holder_at_once(void** state) {
  Fixture& f = fixture_of<Fixture>(state);
  const size_t count = f.room / 4;
  assert_text(word(f.control, "/get?pool=one&host=first"), "YES");
  f.connect(count);
  for (Connection& waiter : f.clients) {
    assert_true(waiter.send(get_request("/wait?pool=one&host=same")));
  }
  assert_true(wait_for_waiting(f.daemon.port(), "one", count));
  assert_text(word(f.control, "/release?pool=one&host=first"), "OK");
  std::string token;
  for (Connection& waiter : f.clients) {
    const Response response = waiter.response().value_or(Response{});
    assert_text(response.body, "YES");
    if (token.empty()) {
      token = response.header("Distributex-Token");
    }
    assert_text(response.header("Distributex-Token"), token);
  }
  assert_text(holders_of(f.daemon.port(), "one"), "same");
}

// Counts the holders of a pool as the clients see it: a client has the lock from the moment
// when it has read YES until before it sends its release.
struct Oracle {
  size_t slots;
  std::vector<size_t> holders = {};
  long long last_token = 0;
  size_t grants = 0;

  void granted(size_t client, long long token) {
    assert_that(holders.size() < slots, "client %zu has the lock beside client %zu", client,
                holders.empty() ? client : holders.front());
    assert_that(slots > 1 || token > last_token, "token %lld after %lld", token, last_token);
    holders.push_back(client);
    last_token = token;
    ++grants;
  }
  void releasing(size_t client) {
    holders.erase(std::find(holders.begin(), holders.end(), client));
  }
};

// A round is wait, livez, release: the client has the lock for a whole round trip, in which
// another client's YES would be seen. Every third client has a short timeout and asks again.
std::string wait_request(const std::string& pool, size_t client) {
  const char* timeout = client % 3 == 0 ? "&timeout=0.2" : "";
  return get_request("/wait?pool=" + pool + "&host=" + host(client) + timeout);
}

void run_loops(Fixture& f, const std::string& pool, size_t rounds, Oracle& oracle) {
  const size_t count = std::min<size_t>(300, f.room);
  f.connect(count);
  std::vector<size_t> left(count, rounds);
  size_t busy = count;
  for (size_t i = 0; i < count; ++i) {
    assert_true(f.clients[i].send(wait_request(pool, i)));
  }
  while (busy > 0) {
    const std::optional<size_t> ready = f.watch.next();
    assert_that(ready.has_value(), "%zu clients hear nothing any more", busy);
    const size_t i = *ready;
    const Response response = f.clients[i].response().value_or(Response{});
    if (response.body == "YES") {
      oracle.granted(i, atoll(response.header("Distributex-Token").c_str()));
      assert_true(f.clients[i].send(get_request("/livez")));
      continue;
    }
    if (response.body == "ok\n") {
      oracle.releasing(i);
      assert_true(f.clients[i].send(get_request("/release?pool=" + pool + "&host=" + host(i))));
      continue;
    }
    assert_that(response.body == "OK" || response.header("Distributex-Result") == "timeout",
                "client %zu: status %d \"%s\"", i, response.status, response.body.c_str());
    if (response.body == "OK" && --left[i] == 0) {
      --busy;
    } else {
      assert_true(f.clients[i].send(wait_request(pool, i)));
    }
  }
  assert_int_equal(oracle.grants, count * rounds);
  assert_text(holders_of(f.daemon.port(), pool), "");
}

void gives_one_lock_to_one_of_300_clients_at_a_time(void** state) {
  Oracle oracle{.slots = 1};
  run_loops(fixture_of<Fixture>(state), "one", 10, oracle);
}

void gives_a_semaphore_to_no_more_than_its_slots(void** state) {
  Oracle oracle{.slots = 5};
  run_loops(fixture_of<Fixture>(state), "some", 5, oracle);
}

}  // namespace
}  // namespace distributex::test

int main() {
  using namespace distributex::test;
  const CMUnitTest tests[] = {
      test_with(Fixture, drains_two_thousand_waiters_in_their_order),
      test_with(Fixture, wakes_a_crowd_of_one_holder_at_once),
      test_with(Fixture, gives_one_lock_to_one_of_300_clients_at_a_time),
      test_with(Fixture, gives_a_semaphore_to_no_more_than_its_slots),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
