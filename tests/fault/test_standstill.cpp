// SPDX-License-Identifier: MIT
// The daemon stands still (SIGSTOP, as by a debugger, or a machine that swaps or
// is paused) and goes on: what ended meanwhile has ended for everybody, what was asked
// meanwhile is answered, and clients that contend notice nothing but the time.
#include <signal.h>

#include <algorithm>

#include "support/bench.h"
#include "support/crowd.h"
#include "support/daemon.h"
#include "support/http.h"
#include "support/memcached.h"
#include "support/rest.h"
#include "support/status.h"
#include "support/test.h"

namespace distributex::test {
namespace {

constexpr std::string_view pools = R"(request_timeout: 2
idle_timeout: 2
pools:
  - {name: mutex, expire: 1}
  - {name: other, expire: 1}
  - {name: one, expire: 600}
)";

struct Fixture {
  Memcached memcached{};
  std::vector<std::unique_ptr<Daemon>> daemons{};
  std::unique_ptr<Crowd> crowd{};

  bool finish() {
    crowd.reset();
    bool well = true;
    for (const auto& daemon : daemons) {
      daemon->send_signal(SIGCONT);
      well = daemon->stop() && well;
    }
    return well;
  }
  Daemon& add(std::string_view yaml) {
    daemons.push_back(std::make_unique<Daemon>(yaml));
    assert_true(daemons.back()->start());
    assert_true(eventually([&] { return fetch(daemons.back()->port(), "/readyz").status == 200; }));
    return *daemons.back();
  }
  Crowd& contend(std::vector<uint16_t> ports) {
    crowd = std::make_unique<Crowd>(
        CrowdShape{.pool = "mutex", .clients = 20, .patient = true, .wary = true}, ports);
    crowd->history().slots("mutex", 1);
    return *crowd;
  }
};

void stand_still(Daemon& daemon) { daemon.send_signal(SIGSTOP); }

void go_on(Daemon& daemon) { daemon.send_signal(SIGCONT); }

// Until the steady clock, which no signal stops, has come so far.
void let_pass(Clock::time_point until) { std::this_thread::sleep_until(until); }

// A holder and somebody who waits for its end.
struct Pair {
  Connection holder;
  Connection next;
  std::string pool;
  std::string token;

  Pair(uint16_t port, std::string name) : holder(port), next(port), pool(std::move(name)) {
    token = fetch(holder, "/get?host=a&expire=1&pool=" + pool).header("Distributex-Token");
    assert_true(next.send(get_request("/wait?host=b&pool=" + pool)));
    assert_true(wait_for_waiting(port, pool, 1));
  }
  void renew() {
    assert_true(holder.send(get_request("/renew?host=a&pool=" + pool + "&token=" + token)));
  }
  void check_passed_on() {
    const auto renewed = holder.response();
    assert_true(renewed && renewed->header("Distributex-Result") == "lost");
    const auto granted = next.response();
    assert_true(granted && granted->body == "YES");
    assert_true(std::stoll(granted->header("Distributex-Token")) > std::stoll(token));
    assert_text(word(next, "/release?host=b&pool=" + pool), "OK");
  }
};

// It makes no difference whether the client sends the renewal before the lease's end or
// after: when the daemon reads the renewal the lease has ended, and somebody waits.
void a_lease_that_ended_meanwhile_is_lost_and_passed_on(void** state) {
  Daemon& daemon = fixture_of<Fixture>(state).add(pools);
  const long at_rest = daemon.open_files();
  {
    Pair in_time(daemon.port(), "mutex");
    Pair late(daemon.port(), "other");
    const Clock::time_point granted = Clock::now();
    stand_still(daemon);
    in_time.renew();
    let_pass(granted + milliseconds{1050});
    late.renew();
    go_on(daemon);
    in_time.check_passed_on();
    late.check_passed_on();
  }
  assert_text(unrest(daemon, "mutex", 1, at_rest), "");
  assert_text(unrest(daemon, "other", 1, at_rest), "");
}

constexpr milliseconds deadline{2000};  // of idle connections and of requests

struct Askers {
  std::vector<Connection> idle{};
  std::vector<Connection> begun{};
  std::vector<Connection> fresh{};
};

// Makes connections that are idle and others that have begun a request, before the daemon
// stands still. It makes as many as the machine can in half of their deadline: else on a busy
// machine the daemon would rightly cut off the first before it had the last.
Askers ask_half(Daemon& daemon, const std::string& request) {
  for (size_t count = 100; count > 0; count /= 2) {
    const Clock::time_point since = Clock::now();
    Askers askers;
    for (size_t i = 0; i < count; i++) {
      askers.idle.emplace_back(daemon.port());
      assert_text(word(askers.idle.back(), "/livez"), "ok\n");
      askers.begun.emplace_back(daemon.port());
      assert_true(askers.begun.back().send(request.substr(0, 20)));
    }
    assert_text(word(daemon.port(), "/livez"), "ok\n");
    stand_still(daemon);
    if (Clock::now() - since < deadline / 2) {
      return askers;
    }
    go_on(daemon);
  }
  fail_msg("one connection takes longer than half of its deadline");
  return {};
}

// The daemon stood still, not the clients. Their deadlines are over, but the daemon must not
// cut off those that had sent all of their request.
void whoever_asked_meanwhile_is_answered(void** state) {
  Daemon& daemon = fixture_of<Fixture>(state).add(pools);
  const long at_rest = daemon.open_files();
  const std::string request = get_request("/release?pool=one&host=nobody");
  Askers askers = ask_half(daemon, request);
  const Clock::time_point since = Clock::now();
  const size_t count = askers.idle.size();
  for (size_t i = 0; i < count; i++) {
    askers.idle[i].send(request);
    askers.begun[i].send(request.substr(20));
    askers.fresh.emplace_back(daemon.port());
    askers.fresh.back().send(request);
  }
  let_pass(since + deadline + milliseconds{400});
  go_on(daemon);
  for (std::vector<Connection>* all : {&askers.idle, &askers.begun, &askers.fresh}) {
    size_t answered = 0;
    for (Connection& one : *all) {
      const auto response = one.response();
      answered += response && response->body == "OK" ? 1U : 0U;
    }
    assert_int_equal(answered, count);
    all->clear();
  }
  assert_text(unrest(daemon, "one", 1, at_rest), "");
}

void stops_of_all_lengths_under_load(void** state) {
  Fixture& f = fixture_of<Fixture>(state);
  Daemon& daemon = f.add(pools);
  const long at_rest = daemon.open_files();
  Crowd& crowd = f.contend({daemon.port()});
  for (const int ms : {1, 3, 10, 30, 100, 2300, 1, 20}) {
    assert_true(crowd.goes_on(10));
    stand_still(daemon);
    let_pass(Clock::now() + milliseconds{ms});
    go_on(daemon);
  }
  assert_true(crowd.goes_on(10));
  crowd.stop();
  assert_text(crowd.history().verdict(), "");
  assert_text(unrest(daemon, "mutex", 1, at_rest), "");
}

// One of two stands still in the midst of what it does with memcached, for
// longer than its leases last; the other one goes on granting.
void one_of_two_that_share_a_memcached_stands_still(void** state) {
  Fixture& f = fixture_of<Fixture>(state);
  assert_true(f.memcached.start());
  const std::string yaml = "backend: memcache\nmemcachehost: " + f.memcached.address() +
                           "\npoll: 20\n" + std::string(pools);
  Daemon& one = f.add(yaml);
  Daemon& other = f.add(yaml);
  const long at_rest = other.open_files();
  Crowd& crowd = f.contend({one.port(), other.port()});
  for (const int ms : {1, 5, 40, 3300}) {
    assert_true(crowd.goes_on(10));
    stand_still(one);
    let_pass(Clock::now() + milliseconds{ms});
    go_on(one);
  }
  assert_true(crowd.goes_on(10));
  crowd.stop();
  assert_text(crowd.history().verdict(), "");
  assert_text(unrest(one, "mutex", 1, at_rest), "");
  assert_text(unrest(other, "mutex", 1, at_rest), "");
}

// memcached was not silent; the daemon did not listen. A waiter for a lock that is still held
// goes on waiting, and nobody is answered 503.
void a_standstill_is_not_taken_for_a_silence_of_memcached(void** state) {
  Fixture& f = fixture_of<Fixture>(state);
  assert_true(f.memcached.start());
  Daemon& daemon = f.add("backend: memcache\nmemcachehost: " + f.memcached.address() + "\n" +
                         std::string(pools));
  for (const int ms : {1700, 1900, 2500}) {
    assert_text(word(daemon.port(), "/get?pool=one&host=a"), "YES");
    Connection next(daemon.port());
    assert_true(next.send(get_request("/wait?pool=one&host=b")));
    assert_true(wait_for_waiting(daemon.port(), "one", 1));
    stand_still(daemon);
    let_pass(Clock::now() + milliseconds{ms});
    go_on(daemon);
    assert_text(word(daemon.port(), "/readyz"), "ok\n");
    assert_text(word(daemon.port(), "/release?pool=one&host=a"), "OK");
    const auto granted = next.response();
    assert_true(granted && granted->body == "YES");
    assert_text(word(next, "/release?pool=one&host=b"), "OK");
  }
  assert_int_equal(daemon.log_lines("memcached down").size(), 0);
}

// The loop alone stands still: memcached has seen a lease come and go, or its
// renewal, before anybody here hears of it.
void a_lease_that_is_heard_of_after_its_end_is_none(void** state) {
  const Memcached& memcached = fixture_of<Fixture>(state).memcached;
  assert_true(fixture_of<Fixture>(state).memcached.start());
  BackendBench bench("memcache", "memcachehost: " + memcached.address());
  assert_true(bench.until([&] { return !bench.backend().trouble(); }));
  const Owner a{"a", ""};
  bench.use_pool("renewed");
  const Verdict granted = bench.get(a, 1, 1);
  const OpId renewal = bench.ask_renew(a, granted.token);
  bench.use_pool("granted");
  const OpId grant = bench.ask_get(a, 1, 1);
  constexpr const char* both[] = {"granted", "renewed"};
  const auto all_are = [&](const char* what) {
    return std::all_of(std::begin(both), std::end(both), [&](const std::string& pool) {
      return memcached.ask("get distributex:" + pool + ":0").starts_with(what);
    });
  };
  assert_true(eventually([&] { return all_are("VALUE"); }));
  assert_true(eventually([&] { return all_are("END"); }));
  assert_text(BackendBench::name_of(bench.verdict_of(grant)), "full");
  assert_text(BackendBench::name_of(bench.verdict_of(renewal)), "lost");
  for (const char* pool : both) {
    bench.use_pool(pool);
    assert_text(BackendBench::name_of(bench.get({"b", ""})), "granted");
  }
}

}  // namespace
}  // namespace distributex::test

int main() {
  using namespace distributex::test;
  const CMUnitTest tests[] = {
      test_with(Fixture, a_lease_that_ended_meanwhile_is_lost_and_passed_on),
      test_with(Fixture, whoever_asked_meanwhile_is_answered),
      test_with(Fixture, stops_of_all_lengths_under_load),
      test_with(Fixture, one_of_two_that_share_a_memcached_stands_still),
      test_with(Fixture, a_standstill_is_not_taken_for_a_silence_of_memcached),
      test_with(Fixture, a_lease_that_is_heard_of_after_its_end_is_none),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
