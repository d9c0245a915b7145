// SPDX-License-Identifier: MIT
// Many clients at once that are slow on purpose: with a head, with a body, with
// reading what they asked for. They are cut off when their time is over; others
// contend for a lock meanwhile and notice nothing. One slow client by itself
// is in wire/test_limits.cpp.
#include <poll.h>
#include <sys/socket.h>

#include <algorithm>

#include "support/crowd.h"
#include "support/daemon.h"
#include "support/http.h"
#include "support/rest.h"
#include "support/slowness.h"
#include "support/status.h"
#include "support/test.h"

namespace distributex::test {
namespace {

using Seconds = std::chrono::duration<double>;

constexpr size_t cap = 200;
constexpr std::string_view pools = R"(request_timeout: 1
idle_timeout: 1
max_connections: 200
pools:
  - {name: mutex, expire: 3}
)";
constexpr milliseconds pace{100};  // of a slow client, between two bytes

struct Fixture {
  Daemon daemon{pools};
  long at_rest = 0;

  bool begin() {
    if (!daemon.start()) {
      return false;
    }
    at_rest = daemon.open_files();
    return true;
  }
  bool finish() { return daemon.stop(); }
  uint16_t port() const { return daemon.port(); }
};

struct Slow {
  Connection connection;
  std::string rest;    // still to be sent, byte by byte; "": the client reads byte by byte
  size_t asked = 0;    // bytes of requests that a reading client has sent
  Seconds lasted{-1};  // until the daemon cut it off; negative: not yet
};

bool has_ended(const Connection& connection) {
  pollfd look{connection.fd(), POLLRDHUP, 0};
  return poll(&look, 1, 0) == 1;
}

// Sends as many requests as the socket takes.
void ask_for_more(Slow& slow) {
  static const std::string request = get_request("/status/");
  static const std::string many = [] {
    std::string text;
    for (int i = 0; i < 1000; i++) {
      text += request;
    }
    return text;
  }();
  ssize_t some = 0;
  do {
    some = slow.connection.send_some(std::string_view(many).substr(slow.asked % many.size()));
    slow.asked += static_cast<size_t>(std::max<ssize_t>(some, 0));
  } while (some > 0);
}

void drip(Slow& slow) {
  char byte = 0;
  if (slow.rest.empty()) {
    ask_for_more(slow);
    (void)!recv(slow.connection.fd(), &byte, 1, MSG_DONTWAIT);
    return;
  }
  (void)!slow.connection.send_some(std::string_view(slow.rest).substr(0, 1));
  slow.rest.erase(0, 1);
}

// Lets all of them be slow until all are cut off.
void drip_until_cut(std::vector<Slow>& crowd) {
  const Clock::time_point begin = Clock::now();
  for (size_t left = crowd.size(); left > 0;) {
    assert_that(Clock::now() - begin < slowness * patience, "%zu slow clients are served still",
                left);
    for (Slow& slow : crowd) {
      if (slow.lasted.count() >= 0) {
        continue;
      }
      if (has_ended(slow.connection)) {
        slow.lasted = Clock::now() - begin;
        left--;
        continue;
      }
      drip(slow);
    }
    poll(nullptr, 0, static_cast<int>(pace.count()));
  }
}

Slow slow_with(uint16_t port, std::string_view start, std::string rest) {
  Slow slow{.connection = Connection(port), .rest = std::move(rest)};
  assert_true(slow.connection.send(start));
  return slow;
}

const std::string drops(1000, 'x');

Slow slow_head(uint16_t port) { return slow_with(port, "GET /get?pool=mutex&host=", drops); }

Slow slow_body(uint16_t port) {
  return slow_with(port,
                   "POST /get HTTP/1.1\r\nContent-Length: 1000\r\n\r\npool=mutex&host=", drops);
}

Slow slow_reader(uint16_t port) {
  Slow slow{.connection = Connection(port), .rest = {}};
  const int small = 4096;
  setsockopt(slow.connection.fd(), SOL_SOCKET, SO_RCVBUF, &small, sizeof small);
  return slow;
}

void check_lasted(const std::vector<Slow>& crowd, Seconds least) {
  for (const Slow& slow : crowd) {
    assert_that(slow.lasted >= least && slow.lasted < slowness * patience, "cut off after %f s",
                slow.lasted.count());
  }
}

void slow_heads_and_bodies_cost_nobody_else_a_lock(void** state) {
  Fixture& f = fixture_of<Fixture>(state);
  Crowd crowd({.pool = "mutex", .clients = 10}, std::vector{f.port()});
  crowd.history().slots("mutex", 1);
  std::vector<Slow> slow;
  for (int i = 0; i < 80; i++) {
    slow.push_back(slow_head(f.port()));
    slow.push_back(slow_body(f.port()));
  }
  const size_t before = crowd.locks();
  drip_until_cut(slow);
  assert_true(crowd.locks() >= before + 20);
  check_lasted(slow, Seconds{0.5});
  crowd.stop();
  assert_text(crowd.history().verdict(), "");
  assert_text(unrest(f.daemon, "mutex", 1, f.at_rest), "");
}

void slow_readers_cost_nobody_else_a_lock(void** state) {
  Fixture& f = fixture_of<Fixture>(state);
  std::vector<Slow> slow;
  for (int i = 0; i < 3; i++) {
    slow.push_back(slow_reader(f.port()));
  }
  Crowd crowd({.pool = "mutex", .clients = 10}, std::vector{f.port()});
  crowd.history().slots("mutex", 1);
  drip_until_cut(slow);
  assert_true(crowd.goes_on(20));
  check_lasted(slow, Seconds{0.9});
  crowd.stop();
  assert_text(crowd.history().verdict(), "");
  assert_text(unrest(f.daemon, "mutex", 1, f.at_rest), "");
}

// Slow clients take all connections. Others are answered unavailable, a holder keeps its
// lock, a waiter keeps its place, until there is room again.
void a_house_full_of_slow_clients_empties(void** state) {
  Fixture& f = fixture_of<Fixture>(state);
  Connection parked(f.port());
  const std::string token = fetch(f.port(), "/get?pool=mutex&host=a").header("Distributex-Token");
  assert_true(parked.send(get_request("/wait?pool=mutex&host=b")));
  assert_true(wait_for_waiting(f.port(), "mutex", 1));
  std::vector<Slow> slow;
  for (size_t i = 0; i < cap; i++) {
    slow.push_back(slow_head(f.port()));
  }
  const Response refused = fetch(f.port(), "/release?pool=mutex&host=a");
  assert_int_equal(refused.status, 503);
  assert_text(refused.body, "NO");
  drip_until_cut(slow);
  check_lasted(slow, Seconds{0.5});
  assert_true(parked.quiet());
  assert_text(word(f.port(), "/release?pool=mutex&host=a&token=" + token), "OK");
  assert_text(parked.response()->body, "YES");
  assert_text(word(f.port(), "/release?pool=mutex&host=b"), "OK");
  parked.close();
  assert_text(unrest(f.daemon, "mutex", 1, f.at_rest), "");
}

}  // namespace
}  // namespace distributex::test

int main() {
  using namespace distributex::test;
  const CMUnitTest tests[] = {
      test_with(Fixture, slow_heads_and_bodies_cost_nobody_else_a_lock),
      test_with(Fixture, slow_readers_cost_nobody_else_a_lock),
      test_with(Fixture, a_house_full_of_slow_clients_empties),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
