// SPDX-License-Identifier: MIT
// The queue and the clock as clients see them over real connections: order,
// waits of one holder, timeouts, semaphores, expiry, renewal, tokens. Clients
// that leave are in wire/test_hangup.cpp, crowds in wire/test_crowd.cpp.
#include <stdlib.h>

#include "support/daemon.h"
#include "support/http.h"
#include "support/status.h"
#include "support/test.h"

namespace distributex::test {
namespace {

using Seconds = std::chrono::duration<double>;

constexpr std::string_view pools = R"(pools:
  - name: one
  - name: two
    maxlocks: 2
  - name: three
    maxlocks: 3
  - name: short
    expire: 1
)";

// How late a busy machine may be before the test fails.
constexpr Seconds slack{8};

struct Fixture {
  Daemon daemon{pools};
  Connection control;

  bool begin() {
    if (!daemon.start()) {
      return false;
    }
    control = Connection(daemon.port());
    return control.connected();
  }
  bool finish() { return daemon.stop(); }

  std::string word(std::string_view target) { return test::word(control, target); }

  // Sends a /wait for the pool and returns once it is the line's last.
  Connection park(const std::string& pool, const std::string& host, const std::string& more = "") {
    const size_t before = pool_state(daemon.port(), pool).waiting.size();
    Connection waiter(daemon.port());
    assert_true(waiter.send(get_request("/wait?pool=" + pool + "&host=" + host + more)));
    assert_true(wait_for_waiting(daemon.port(), pool, before + 1));
    return waiter;
  }
};

std::string answer(Connection& waiter) {
  const std::optional<Response> response = waiter.response();
  return response ? response->body + " " + response->header("Distributex-Result") : "nothing";
}

void serves_waiters_first_come_first_served(void** state) {
  Fixture& f = fixture_of<Fixture>(state);
  assert_text(f.word("/get?pool=one&host=h"), "YES");
  Connection a = f.park("one", "a");
  Connection b = f.park("one", "b");
  Connection c = f.park("one", "c");
  assert_text(waiters_of(f.daemon.port(), "one"), "a b c");
  assert_true(a.quiet());
  assert_text(f.word("/release?pool=one&host=h"), "OK");
  assert_text(answer(a), "YES granted");
  assert_text(waiters_of(f.daemon.port(), "one"), "b c");
  assert_true(b.quiet() && c.quiet());
  assert_text(f.word("/release?pool=one&host=a"), "OK");
  assert_text(answer(b), "YES granted");
  assert_text(f.word("/release?pool=one&host=b"), "OK");
  assert_text(answer(c), "YES granted");
  assert_text(holders_of(f.daemon.port(), "one"), "c");
}

void lets_no_get_overtake_a_waiter(void** state) {
  Fixture& f = fixture_of<Fixture>(state);
  assert_text(f.word("/get?pool=two&host=h"), "YES");
  assert_text(f.word("/get?pool=two&host=i"), "YES");
  Connection a = f.park("two", "a");
  assert_text(f.word("/get?pool=two&host=z"), "NO");
  assert_true(f.control.send(get_request("/release?pool=two&host=h") +
                             get_request("/get?pool=two&host=z")));
  assert_text(f.control.response()->body, "OK");
  assert_text(f.control.response()->body, "NO");
  assert_text(answer(a), "YES granted");
}

void answers_a_present_holder_at_once_past_the_line(void** state) {
  Fixture& f = fixture_of<Fixture>(state);
  assert_text(f.word("/get?pool=one&host=h"), "YES");
  Connection a = f.park("one", "a");
  assert_text(f.word("/get?pool=one&host=h"), "YES");
  assert_text(f.word("/wait?pool=one&host=h"), "YES");
  assert_true(a.quiet());
  assert_text(holders_of(f.daemon.port(), "one"), "h");
}

void answers_all_waits_of_one_holder_together(void** state) {
  Fixture& f = fixture_of<Fixture>(state);
  assert_text(f.word("/get?pool=one&host=h"), "YES");
  Connection first = f.park("one", "a");
  Connection other = f.park("one", "b");
  Connection second = f.park("one", "a");
  Connection named = f.park("one", "a", "&id=1");
  assert_text(f.word("/release?pool=one&host=h"), "OK");
  const std::optional<Response> one = first.response();
  const std::optional<Response> two = second.response();
  assert_true(one && two);
  assert_text(one->body + two->body, "YESYES");
  assert_text(one->header("Distributex-Token"), two->header("Distributex-Token"));
  assert_text(waiters_of(f.daemon.port(), "one"), "b a");
  assert_true(other.quiet() && named.quiet());
  assert_text(f.word("/release?pool=one&host=a"), "OK");
  assert_text(answer(other), "YES granted");
}

void ends_a_wait_after_its_timeout_and_not_before(void** state) {
  Fixture& f = fixture_of<Fixture>(state);
  assert_text(f.word("/get?pool=one&host=h"), "YES");
  Connection early(f.daemon.port());
  Connection late(f.daemon.port());
  const Clock::time_point start = Clock::now();
  assert_true(late.send(get_request("/wait?pool=one&host=late&timeout=0.6")));
  assert_true(early.send(get_request("/wait?pool=one&host=early&timeout=0.25")));
  assert_text(answer(early), "NO timeout");
  const Seconds first = Clock::now() - start;
  assert_text(answer(late), "NO timeout");
  const Seconds second = Clock::now() - start;
  assert_that(first >= Seconds{0.25} && first < Seconds{0.25} + slack, "after %f s", first.count());
  assert_that(second >= Seconds{0.6} && second < Seconds{0.6} + slack, "after %f s",
              second.count());
  assert_text(test::word(late, "/wait?pool=one&host=late&timeout=0"), "NO");
}

void forgets_a_waiter_whose_time_is_over(void** state) {
  Fixture& f = fixture_of<Fixture>(state);
  assert_text(f.word("/get?pool=one&host=h"), "YES");
  Connection a(f.daemon.port());
  assert_true(a.send(get_request("/wait?pool=one&host=a&timeout=0.1")));
  Connection b(f.daemon.port());
  assert_true(b.send(get_request("/wait?pool=one&host=b&timeout=1000.5")));
  assert_text(answer(a), "NO timeout");
  assert_true(wait_for_waiting(f.daemon.port(), "one", 1));
  assert_text(f.word("/release?pool=one&host=h"), "OK");
  assert_text(answer(b), "YES granted");
  assert_text(holders_of(f.daemon.port(), "one"), "b");
}

void wakes_one_waiter_for_each_slot_that_comes_free(void** state) {
  Fixture& f = fixture_of<Fixture>(state);
  for (const char* host : {"a", "b", "c"}) {
    assert_text(f.word(std::string("/get?pool=three&host=") + host), "YES");
  }
  Connection d = f.park("three", "d");
  Connection e = f.park("three", "e");
  assert_text(f.word("/release?pool=three&host=b"), "OK");
  assert_text(answer(d), "YES granted");
  assert_true(e.quiet());
  assert_text(f.word("/release?pool=three&host=a"), "OK");
  assert_text(answer(e), "YES granted");
  assert_int_equal(pool_state(f.daemon.port(), "three").holders.size(), 3);
}

void passes_an_expired_lease_on_and_never_early(void** state) {
  Fixture& f = fixture_of<Fixture>(state);
  const Clock::time_point start = Clock::now();
  assert_text(f.word("/get?pool=two&host=a&expire=3"), "YES");
  assert_text(f.word("/get?pool=two&host=b&expire=2"), "YES");
  const Clock::time_point granted = Clock::now();
  Connection c = f.park("two", "c");
  Connection d = f.park("two", "d");
  assert_text(answer(c), "YES granted");
  const Clock::time_point first = Clock::now();
  assert_text(f.word("/get?pool=two&host=b"), "NO");
  assert_text(answer(d), "YES granted");
  const Clock::time_point second = Clock::now();
  assert_true(first - start >= Seconds{2} && first - granted < Seconds{2} + slack);
  assert_true(second - start >= Seconds{3} && second - granted < Seconds{3} + slack);
}

void frees_an_expired_lease_that_nobody_waits_for(void** state) {
  Fixture& f = fixture_of<Fixture>(state);
  const Clock::time_point start = Clock::now();
  assert_text(f.word("/get?pool=short&host=a"), "YES");
  assert_text(holders_of(f.daemon.port(), "short"), "a");
  assert_true(wait_for_holders(f.daemon.port(), "short", 0));
  assert_true(Clock::now() - start >= Seconds{1});
  assert_text(f.word("/release?pool=short&host=a"), "OK");
  assert_text(f.word("/renew?pool=short&host=a"), "NO");
}

void starts_the_leases_time_anew_on_renewal(void** state) {
  Fixture& f = fixture_of<Fixture>(state);
  assert_text(f.word("/get?pool=one&host=a&expire=2"), "YES");
  Connection b = f.park("one", "b");
  assert_false(b.wait_readable(milliseconds{300}));
  const Clock::time_point renewed = Clock::now();
  assert_text(f.word("/renew?pool=one&host=a"), "OK");
  assert_text(answer(b), "YES granted");
  assert_true(Clock::now() - renewed >= Seconds{2});
}

void starts_a_waiters_lease_when_it_is_granted(void** state) {
  Fixture& f = fixture_of<Fixture>(state);
  assert_text(f.word("/get?pool=one&host=h"), "YES");
  Connection a = f.park("one", "a", "&expire=30");
  assert_false(a.wait_readable(milliseconds{200}));
  const Clock::time_point released = Clock::now();
  assert_text(f.word("/release?pool=one&host=h"), "OK");
  const std::optional<Response> response = a.response();
  assert_true(response.has_value());
  const double expires = strtod(response->header("Distributex-Expires").c_str(), nullptr);
  const Seconds took = Clock::now() - released;
  assert_that(expires <= 30 && expires >= 30 - took.count() - 0.002, "%f s are left", expires);
}

void raises_tokens_across_restarts(void** state) {
  Fixture& f = fixture_of<Fixture>(state);
  long long last = 0;
  for (int round = 0; round < 4; ++round) {
    for (int i = 0; i < 3; ++i) {
      const Response granted = fetch(f.daemon.port(), "/get?pool=three&host=h" + std::to_string(i));
      assert_text(granted.body, "YES");
      const long long token = atoll(granted.header("Distributex-Token").c_str());
      assert_that(token > last, "token %lld after %lld", token, last);
      last = token;
    }
    f.control.close();
    if (round % 2 == 0) {
      f.daemon.kill_now();
    } else {
      assert_true(f.daemon.stop());
    }
    assert_true(f.daemon.restart());
  }
}

}  // namespace
}  // namespace distributex::test

int main() {
  using namespace distributex::test;
  const CMUnitTest tests[] = {
      test_with(Fixture, serves_waiters_first_come_first_served),
      test_with(Fixture, lets_no_get_overtake_a_waiter),
      test_with(Fixture, answers_a_present_holder_at_once_past_the_line),
      test_with(Fixture, answers_all_waits_of_one_holder_together),
      test_with(Fixture, ends_a_wait_after_its_timeout_and_not_before),
      test_with(Fixture, forgets_a_waiter_whose_time_is_over),
      test_with(Fixture, wakes_one_waiter_for_each_slot_that_comes_free),
      test_with(Fixture, passes_an_expired_lease_on_and_never_early),
      test_with(Fixture, frees_an_expired_lease_that_nobody_waits_for),
      test_with(Fixture, starts_the_leases_time_anew_on_renewal),
      test_with(Fixture, starts_a_waiters_lease_when_it_is_granted),
      test_with(Fixture, raises_tokens_across_restarts),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
