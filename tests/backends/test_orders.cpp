// SPDX-License-Identifier: MIT
// What operators do, over every backend: freezes, thaws and evictions through
// the one interface.
#include "backends/backend.h"
#include "backends/rulings.h"
#include "base/clock.h"
#include "support/backends.h"
#include "support/daemon.h"
#include "support/memcached.h"
#include "support/test.h"

namespace distributex::test {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

const Owner a{"a", ""}, b{"b", ""}, c{"c", ""};

void a_frozen_pool_grants_nothing_and_lets_holders_be(void** state) {
  BackendBench& f = bench(state);
  const Verdict granted = f.get(a, 3);
  assert_text(name(f.freeze("p")), "done");
  assert_text(name(f.get(b, 3)), "full");
  assert_text(name(f.get(a, 3)), "held");
  assert_text(name(f.renew(a, granted.token)), "renewed");
  assert_text(name(f.release(a, granted.token, 3)), "released");
  assert_text(name(f.get(a, 3)), "full");
  const Freeze* freeze = f.backend().frozen("p");
  assert_non_null(freeze);
  assert_text(freeze->reason, "bad release");
  assert_text(freeze->by, "ann");
  assert_false(freeze->until.has_value());
  assert_text(f.news(), "frozen p bad release by ann");
}

// However many questions are under way: all grants come before the order's verdict.
void nothing_is_granted_after_the_freeze_was_answered(void** state) {
  BackendBench& f = bench(state);
  for (int i = 0; i < 40; i++) {
    (void)f.ask_get({"h" + std::to_string(i), ""}, 1000);
    if (i == 20) {
      f.ask_freeze("p");
    }
  }
  const OpId last = f.ask_get({"last", ""}, 1000);
  (void)f.verdict_of(last);
  bool frozen = false;
  for (const OpId op : f.order()) {
    const std::string verdict = name(f.verdict_of(op));
    assert_false(frozen && verdict == "granted");
    frozen = frozen || verdict == "done";
  }
  assert_true(frozen);
  assert_text(name(f.verdict_of(last)), "full");
}

void a_thaw_says_that_the_pool_has_changed(void** state) {
  BackendBench& f = bench(state);
  (void)f.get(a);
  (void)f.release(a);
  assert_text(name(f.freeze("p")), "done");
  const Verdict full = f.get(a);
  assert_text(name(full), "full");
  assert_false(full.retry_at.has_value());
  const size_t changes = f.changes();
  assert_text(name(f.thaw("p")), "done");
  assert_true(f.changes() > changes);
  assert_text(name(f.get(a)), "granted");
  assert_text(f.news(), "frozen p bad release by ann; thawed p bad release by bob");
  assert_null(f.backend().frozen("p"));
  assert_text(name(f.thaw("p")), "not_held");
}

void a_freeze_for_some_time_ends_by_itself_and_not_before(void** state) {
  BackendBench& f = bench(state);
  assert_text(name(f.get(a)), "granted");
  assert_text(name(f.release(a)), "released");
  const Time asked = steady_now();
  assert_text(name(f.freeze("p", milliseconds(1200))), "done");
  const Verdict full = f.get(a);
  assert_text(name(full), "full");
  assert_true(full.retry_at && *full.retry_at >= asked + milliseconds(1190));
  const size_t changes = f.changes();
  assert_true(f.until([&] { return f.changes() > changes; }));
  assert_true(steady_now() >= asked + milliseconds(1190));
  assert_text(name(f.get(a)), "granted");
  assert_text(f.news(), "frozen p bad release by ann; thawed p its time is over");
}

void a_pattern_freezes_all_pools_that_match(void** state) {
  BackendBench& f = bench(state);
  f.use_pool("deploy/web");
  assert_text(name(f.freeze("deploy/*")), "done");
  assert_text(name(f.get(a)), "full");
  f.use_pool("other");
  assert_text(name(f.get(a)), "granted");
  f.use_pool("deploy/");
  assert_text(name(f.get(a)), "full");
  assert_text(name(f.thaw("deploy/")), "not_held");
  assert_text(name(f.get(a)), "full");
  assert_text(name(f.thaw("*")), "done");
  assert_text(name(f.get(a)), "granted");
  assert_int_equal(f.backend().freezes().size(), 0);
}

void a_second_freeze_takes_the_place_of_the_first(void** state) {
  BackendBench& f = bench(state);
  assert_text(name(f.freeze("p", seconds(1000))), "done");
  assert_text(name(f.freeze("p")), "done");
  assert_int_equal(f.backend().freezes().size(), 1);
  assert_false(f.backend().frozen("p")->until.has_value());
  assert_text(name(f.thaw("p")), "done");
  assert_text(name(f.get(a)), "granted");
}

void an_eviction_ends_the_lease_with_that_token(void** state) {
  BackendBench& f = bench(state);
  const Verdict first = f.get(a, 2);
  const Verdict second = f.get(b, 2);
  assert_text(name(f.evict(second.token, 2)), "done");
  assert_text(name(f.renew(b, second.token)), "lost");
  assert_text(name(f.renew(a, first.token)), "renewed");
  assert_text(f.news(), "evicted p b dead by ann");
  const Verdict next = f.get(c, 2);
  assert_text(name(next), "granted");
  assert_true(next.token > second.token);
  assert_text(name(f.evict(second.token, 2)), "not_held");
  assert_text(f.holders(), "a c");
}

void an_eviction_says_whose_lease_it_was(void** state) {
  BackendBench& f = bench(state);
  const Verdict granted = f.get({"web7", "run1"});
  const Verdict evicted = f.evict(granted.token);
  assert_text(evicted.owner.host, "web7");
  assert_text(evicted.owner.id, "run1");
}

// A second server over the same memcached sees a freeze within a second, and so does one
// that starts later; a thaw by another server wakes waiters here.
void all_servers_over_one_memcached_see_a_freeze(void**) {
  const std::string options = memcache_options();
  BackendBench one("memcache", options);
  BackendBench two("memcache", options);
  assert_text(name(two.get(a)), "granted");
  assert_text(name(two.release(a)), "released");
  assert_text(name(one.freeze("p")), "done");
  const Time frozen = steady_now();
  assert_true(two.until([&] { return two.backend().frozen("p") != nullptr; }));
  assert_that(steady_now() - frozen < seconds(1), "it was seen late");
  assert_text(name(two.get(a)), "full");
  assert_text(two.news(), "frozen p bad release by ann");
  BackendBench three("memcache", options);
  assert_text(name(three.get(a)), "full");
  const size_t changes = two.changes();
  assert_text(name(three.thaw("*")), "done");
  assert_true(two.until([&] { return two.changes() > changes; }));
  assert_text(name(two.get(a)), "granted");
}

void a_store_keeps_its_freezes(void**) {
  const std::string options = sqlite_options();
  {
    BackendBench first("sqlite", options);
    (void)first.freeze("p");
    (void)first.freeze("q*", seconds(1000));
    (void)first.freeze("r");
    const Verdict thawed = first.thaw("r");
    assert_true(first.until([&] { return first.stored() >= thawed.stored; }));
  }
  BackendBench second("sqlite", options);
  assert_text(second.refusal(), "");
  const std::vector<Freeze> freezes = second.backend().freezes();
  assert_int_equal(freezes.size(), 2);
  assert_text(freezes[0].reason, "bad release");
  assert_text(freezes[0].by, "ann");
  assert_true(freezes[1].until && *freezes[1].until > steady_now() + seconds(900));
  assert_true(*freezes[1].until <= steady_now() + seconds(1000));
  assert_text(name(second.get(a)), "full");
}

}  // namespace
}  // namespace distributex::test

int main() {
  using namespace distributex::test;
  const CMUnitTest tests[] = {
      cmocka_unit_test(a_frozen_pool_grants_nothing_and_lets_holders_be),
      cmocka_unit_test(nothing_is_granted_after_the_freeze_was_answered),
      cmocka_unit_test(a_thaw_says_that_the_pool_has_changed),
      cmocka_unit_test(a_freeze_for_some_time_ends_by_itself_and_not_before),
      cmocka_unit_test(a_pattern_freezes_all_pools_that_match),
      cmocka_unit_test(a_second_freeze_takes_the_place_of_the_first),
      cmocka_unit_test(an_eviction_ends_the_lease_with_that_token),
      cmocka_unit_test(an_eviction_says_whose_lease_it_was),
  };
  const CMUnitTest others[] = {
      cmocka_unit_test(all_servers_over_one_memcached_see_a_freeze),
      cmocka_unit_test(a_store_keeps_its_freezes),
  };
  return run_over_backends(tests, others);
}
