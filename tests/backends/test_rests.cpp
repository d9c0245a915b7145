// SPDX-License-Identifier: MIT
// Time between holders, and failed runs in a row, over every backend.
#include "backends/backend.h"
#include "backends/rests.h"
#include "base/clock.h"
#include "support/backends.h"
#include "support/daemon.h"
#include "support/memcached.h"
#include "support/test.h"

namespace distributex::test {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

const Owner a{"a", ""}, b{"b", ""};

PoolSpec pool_with(seconds min_hold, seconds release_delay, seconds lock_delay,
                   uint32_t freeze_after = 0) {
  PoolSpec spec;
  spec.name += 'p';  // gcc 12 warns in vain of "p"
  spec.expire = seconds{100};
  spec.min_hold = min_hold;
  spec.release_delay = release_delay;
  spec.lock_delay = lock_delay;
  spec.freeze_after = freeze_after;
  return spec;
}

// Checks that the slot is closed for everybody until that time, and then opens by itself.
void expect_rest(BackendBench& f, Time until, Rest::Why why) {
  assert_text(name(f.get(b)), "full");
  assert_text(name(f.get(a)), "full");
  const std::vector<Rest> rests = f.backend().rests("p");
  assert_int_equal(rests.size(), 1);
  assert_int_equal(f.backend().resting("p"), 1);
  assert_int_equal(f.backend().held("p"), 0);
  assert_true(rests[0].why == why);
  assert_text(rests[0].owner.host, "a");
  const size_t changes = f.changes();
  assert_true(f.until([&] { return f.changes() > changes; }));
  assert_true(steady_now() >= until - milliseconds(5));
  assert_that(steady_now() < until + seconds(3), "late");
  assert_int_equal(f.backend().resting("p"), 0);
  assert_text(name(f.get(b)), "granted");
}

void min_hold_counts_from_the_grant(void** state) {
  BackendBench& f = bench(state);
  f.configure(pool_with(seconds(2), seconds(0), seconds(0)));
  const Time asked = steady_now();
  (void)f.get(a);
  assert_text(name(f.release(a)), "released");
  expect_rest(f, asked + seconds(2), Rest::Why::min_hold);
}

void release_delay_counts_from_the_release(void** state) {
  BackendBench& f = bench(state);
  f.configure(pool_with(seconds(0), seconds(1), seconds(0)));
  (void)f.get(a);
  const Time released = steady_now();
  assert_text(name(f.release(a)), "released");
  expect_rest(f, released + seconds(1), Rest::Why::release_delay);
}

void lock_delay_counts_from_the_end_by_time(void** state) {
  BackendBench& f = bench(state);
  f.configure(pool_with(seconds(0), seconds(0), seconds(1)));
  const Verdict granted = f.get(a, 1, 1);
  assert_true(f.until([&] { return f.expired().size() == 1; }));
  expect_rest(f, *granted.ends + seconds(1), Rest::Why::lock_delay);
}

void lock_delay_counts_from_an_eviction(void** state) {
  BackendBench& f = bench(state);
  f.configure(pool_with(seconds(0), seconds(0), seconds(1)));
  const Verdict granted = f.get(a);
  const Time evicted = steady_now();
  assert_text(name(f.evict(granted.token)), "done");
  expect_rest(f, evicted + seconds(1), Rest::Why::lock_delay);
}

void a_grant_that_nobody_heard_of_does_not_rest(void** state) {
  BackendBench& f = bench(state);
  f.configure(pool_with(seconds(100), seconds(100), seconds(100)));
  const Verdict granted = f.get(a);
  (void)f.verdict_of(f.ask_give_back(a, granted.token));
  assert_int_equal(f.backend().resting("p"), 0);
  assert_text(name(f.get(b)), "granted");
}

void a_reload_counts_for_what_is_released_from_then_on(void** state) {
  BackendBench& f = bench(state);
  f.configure(pool_with(seconds(0), seconds(100), seconds(0)));
  (void)f.get(a);
  f.configure(pool_with(seconds(0), seconds(0), seconds(0)));
  assert_text(name(f.release(a)), "released");
  assert_text(name(f.get(b)), "granted");
  f.configure(pool_with(seconds(0), seconds(100), seconds(0)));
  assert_text(name(f.release(b)), "released");
  assert_text(name(f.get(a)), "full");
}

void failed_runs_in_a_row_freeze_the_pool(void** state) {
  BackendBench& f = bench(state);
  f.configure(pool_with(seconds(0), seconds(0), seconds(0), 3));
  const Outcome outcomes[] = {Outcome::failed, Outcome::failed,  Outcome::ok,
                              Outcome::failed, Outcome::unknown, Outcome::failed};
  for (const Outcome outcome : outcomes) {
    assert_text(name(f.get(a)), "granted");
    (void)f.release_with(a, outcome, 1);
    assert_null(f.backend().frozen("p"));
  }
  assert_text(name(f.get({"web7", "r"})), "granted");
  (void)f.release_with({"web7", "r"}, Outcome::failed, 4);
  assert_text(name(f.get(a)), "full");
  const Freeze* freeze = f.backend().frozen("p");
  assert_non_null(freeze);
  assert_text(freeze->reason, "3 runs failed in a row, last web7 (exit status 4)");
  assert_text(f.news(),
              "frozen p 3 runs failed in a row, last web7 (exit status 4) by freeze_after");
  assert_text(name(f.thaw("p")), "done");
  assert_text(name(f.get(a)), "granted");
  (void)f.release_with(a, Outcome::failed, 1);
  assert_text(name(f.get(a)), "granted");
}

// A thaw by name or by pattern, also when nothing is frozen yet.
void a_thaw_starts_the_count_of_failed_runs_anew(void** state) {
  BackendBench& f = bench(state);
  f.configure(pool_with(seconds(0), seconds(0), seconds(0), 2));
  for (const char* pool : {"p", "*"}) {
    assert_text(name(f.get(a)), "granted");
    (void)f.release_with(a, Outcome::failed, 1);
    assert_text(name(f.thaw(pool)), "not_held");
  }
  assert_text(name(f.get(a)), "granted");
  (void)f.release_with(a, Outcome::failed, 1);
  assert_text(name(f.get(a)), "granted");
  (void)f.release_with(a, Outcome::failed, 1);
  assert_text(name(f.get(a)), "full");
}

void ends_by_time_and_evictions_are_failed_runs(void** state) {
  BackendBench& f = bench(state);
  f.configure(pool_with(seconds(0), seconds(0), seconds(0), 2));
  assert_text(name(f.get(a, 1, 1)), "granted");
  assert_true(f.until([&] { return f.expired().size() == 1; }));
  const Verdict granted = f.get(b);
  assert_text(name(granted), "granted");
  assert_text(name(f.evict(granted.token)), "done");
  assert_text(name(f.get(a)), "full");
  assert_text(f.backend().frozen("p")->reason, "2 runs failed in a row, last b (evicted)");
}

void a_store_keeps_rests_and_failed_runs(void**) {
  const std::string options = sqlite_options();
  Time ends{};
  {
    BackendBench first("sqlite", options);
    first.configure(pool_with(seconds(0), seconds(100), seconds(0), 2));
    (void)first.get(a);
    const Verdict released = first.release_with(a, Outcome::failed, 1);
    assert_true(first.until([&] { return first.stored() >= released.stored; }));
    ends = first.backend().rests("p").at(0).ends;
  }
  BackendBench second("sqlite", options);
  assert_text(second.refusal(), "");
  second.configure(pool_with(seconds(0), seconds(100), seconds(0), 2));
  assert_text(name(second.get(b)), "full");
  assert_true(second.backend().rests("p").at(0).ends == ends);
  assert_true(second.backend().rests("p").at(0).why == Rest::Why::release_delay);
  assert_text(name(second.get(b, 2)), "granted");
  (void)second.release_with(b, Outcome::failed, 1);
  assert_non_null(second.backend().frozen("p"));
}

// Nobody freezes the pool then, so the count alone says that it waits for the disk.
void a_thaw_that_ends_a_count_is_told_when_it_is_stored(void**) {
  const std::string options = sqlite_options();
  const PoolSpec pool = pool_with(seconds(0), seconds(0), seconds(0), 2);
  {
    BackendBench first("sqlite", options);
    first.configure(pool);
    (void)first.get(a);
    const Verdict released = first.release_with(a, Outcome::failed, 1);
    assert_true(first.until([&] { return first.stored() >= released.stored; }));
    const Verdict thawed = first.thaw("p");
    assert_text(name(thawed), "not_held");
    assert_true(thawed.stored > released.stored);
    assert_true(first.until([&] { return first.stored() >= thawed.stored; }));
    assert_int_equal(first.thaw("p").stored, 0);
  }
  BackendBench second("sqlite", options);
  second.configure(pool);
  (void)second.get(a);
  (void)second.release_with(a, Outcome::failed, 1);
  assert_null(second.backend().frozen("p"));
  (void)second.get(a);
  (void)second.release_with(a, Outcome::failed, 1);
  assert_non_null(second.backend().frozen("p"));
}

// After a reboot with the date set back the grant may lie in the future.
void a_lease_begins_at_most_now(void**) {
  const Time now{std::chrono::hours(100)};
  const Lease lease{.owner = a, .token = 1, .since = now + std::chrono::hours(9600), .ends = {}};
  const PoolSpec none = pool_with(seconds(0), seconds(0), seconds(0));
  assert_false(rest_after_release(&none, lease, now).has_value());
  const PoolSpec five = pool_with(seconds(5), seconds(0), seconds(0));
  assert_true(rest_after_release(&five, lease, now).value().ends == now + seconds(5));
}

void all_servers_over_one_memcached_see_a_rest(void**) {
  const std::string options = memcache_options();
  BackendBench one("memcache", options);
  BackendBench two("memcache", options);
  one.configure(pool_with(seconds(0), seconds(100), seconds(0)));
  two.configure(pool_with(seconds(0), seconds(100), seconds(0)));
  assert_text(name(one.get(a)), "granted");
  assert_text(name(one.release(a)), "released");
  assert_text(name(two.get(b)), "full");
  assert_int_equal(two.backend().resting("p"), 1);
  assert_text(two.holders(), "");
}

}  // namespace
}  // namespace distributex::test

int main() {
  using namespace distributex::test;
  const CMUnitTest tests[] = {
      cmocka_unit_test(min_hold_counts_from_the_grant),
      cmocka_unit_test(release_delay_counts_from_the_release),
      cmocka_unit_test(lock_delay_counts_from_the_end_by_time),
      cmocka_unit_test(lock_delay_counts_from_an_eviction),
      cmocka_unit_test(a_grant_that_nobody_heard_of_does_not_rest),
      cmocka_unit_test(a_reload_counts_for_what_is_released_from_then_on),
      cmocka_unit_test(failed_runs_in_a_row_freeze_the_pool),
      cmocka_unit_test(ends_by_time_and_evictions_are_failed_runs),
      cmocka_unit_test(a_thaw_starts_the_count_of_failed_runs_anew),
  };
  const CMUnitTest others[] = {
      cmocka_unit_test(a_store_keeps_rests_and_failed_runs),
      cmocka_unit_test(a_thaw_that_ends_a_count_is_told_when_it_is_stored),
      cmocka_unit_test(a_lease_begins_at_most_now),
      cmocka_unit_test(all_servers_over_one_memcached_see_a_rest),
  };
  return run_over_backends(tests, others);
}
