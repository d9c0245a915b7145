// SPDX-License-Identifier: MIT
// How leases in memcached end: what failed half-way, marks, releases, renewals,
// lost counters, and slots above a lowered maxlocks.
#include "support/slot_servers.h"

namespace distributex::test {
namespace {

void what_failed_half_way_is_taken_back(void** state) {
  SlotFixture& f = of(state);
  f.one.link.before_command = [n = 0](const std::string& command) mutable {
    if (command != "replace" && n == 0) {
      return Fault::none;
    }
    return n++ == 0 ? Fault::not_answered : Fault::not_sent;
  };
  const SlotAnswer answer = f.one.get("a");
  assert_kind(answer.kind, Kind::failed);
  assert_true(answer.unsure);
  assert_kind(f.two.get("b").kind, Kind::full);
  f.one.link.before_command = [](const std::string&) { return Fault::none; };
  assert_true(f.one.slots.give_back(f.pool, "one-a") == MemcacheSlots::Undone::gone);
  assert_kind(f.two.get("b").kind, Kind::granted);
}

void a_lease_that_another_server_told_of_is_not_taken_back(void** state) {
  SlotFixture& f = of(state);
  const SlotAnswer granted = f.one.get("a");
  assert_kind(f.two.get("a").kind, Kind::held);
  assert_true(f.one.slots.give_back(f.pool, "one-a") == MemcacheSlots::Undone::absent);
  assert_kind(f.one.release("a", granted.lease.token, true), Kind::not_held);
  assert_kind(f.two.get("a").kind, Kind::held);
  assert_kind(f.one.release("a", granted.lease.token), Kind::released);
}

void a_lease_told_of_by_nobody_else_is_taken_back(void** state) {
  SlotFixture& f = of(state);
  const SlotAnswer granted = f.one.get("a");
  assert_kind(f.one.get("a").kind, Kind::held);
  assert_kind(f.one.release("a", granted.lease.token, true), Kind::released);
}

void a_mark_wins_or_loses_against_taking_back(void** state) {
  SlotFixture& f = of(state);
  (void)f.one.get("a");
  SlotAnswer other;
  f.one.before("remove", [&] { other = f.two.get("a"); });
  const auto undone = f.one.slots.give_back(f.pool, "one-a");
  assert_kind(other.kind, Kind::held);
  assert_true(undone == MemcacheSlots::Undone::absent);
  SlotFixture g;
  (void)g.one.get("a");
  g.two.before("append", [&] { (void)g.one.slots.give_back(g.pool, "one-a"); });
  assert_kind(g.two.get("a").kind, Kind::granted);
}

void a_release_with_another_token_changes_nothing(void** state) {
  SlotFixture& f = of(state);
  const Token token = f.one.get("a").lease.token;
  assert_kind(f.two.release("a", token + 1), Kind::not_held);
  assert_kind(f.two.release("b"), Kind::not_held);
  assert_kind(f.two.renew("a", token + 1).kind, Kind::lost);
  assert_kind(f.two.release("a", token), Kind::released);
  assert_kind(f.two.renew("a", token).kind, Kind::lost);
}

void a_release_sent_twice_spares_the_next_lease(void** state) {
  SlotFixture& f = of(state);
  (void)f.one.get("a");
  f.one.link.before_command = [&f, n = 0](const std::string& command) mutable {
    if (n == 1) {
      n = 2;
      (void)f.two.get("a");
    }
    if (command != "remove" || n != 0) {
      return Fault::none;
    }
    n = 1;
    return Fault::not_answered;
  };
  assert_kind(f.one.release("a"), Kind::released);
  assert_kind(f.two.get("b").kind, Kind::full);
}

void only_an_unrenewed_lease_expires(void** state) {
  SlotFixture& f = of(state);
  (void)f.one.get("a");
  assert_kind(f.two.renew("a").kind, Kind::renewed);
  assert_true(f.one.slots.expire(f.pool, "one-a") == MemcacheSlots::Undone::absent);
  assert_kind(f.one.release("a"), Kind::released);
  (void)f.one.get("a");
  assert_kind(f.two.get("a").kind, Kind::held);
  assert_true(f.one.slots.expire(f.pool, "one-a") == MemcacheSlots::Undone::gone);
}

void a_renewal_keeps_the_lease_for_its_length_anew(void** state) {
  SlotFixture& f = of(state);
  (void)f.one.get("a");
  f.cache.now += seconds(99);
  assert_kind(f.two.renew("a").kind, Kind::renewed);
  f.cache.now += seconds(101);
  assert_kind(f.two.get("b").kind, Kind::full);
  f.cache.now += seconds(2);
  assert_kind(f.two.get("b").kind, Kind::granted);
}

void tokens_rise_after_memcached_lost_everything(void** state) {
  SlotFixture& f = of(state);
  const Token before = f.one.get("a").lease.token;
  f.cache.forget_all();
  f.cache.now += std::chrono::milliseconds(1);
  assert_true(f.two.get("b").lease.token > before);
}

void tokens_rise_under_a_clock_that_is_behind(void** state) {
  SlotFixture& f = of(state);
  const Token before = f.one.get("a").lease.token;
  assert_kind(f.two.get("b").kind, Kind::full);  // server two sees the token
  f.cache.forget_all();
  f.two.link.clock_ahead_us = -9'000'000'000;
  const Token after = f.two.get("b").lease.token;
  assert_true(after > before);
  // A third server, which has seen no token, seeds the counter far too low.
  f.cache.forget_all();
  SlotServer three(f.cache, "three");
  three.link.clock_ahead_us = -90'000'000'000;
  (void)three.get("c");
  (void)three.release("c");
  assert_true(f.two.get("b").lease.token > after);
}

void a_lowered_maxlocks_counts_the_slots_above_it(void** state) {
  SlotFixture& f = of(state);
  for (const char* host : {"a", "b", "c"}) {
    assert_kind(f.one.get(host, 3).kind, Kind::granted);
  }
  assert_kind(f.one.release("a", {}, false, 3), Kind::released);
  const auto ask = [&](const char* host) {
    const Acquire question{.op = 1, .pool = "p", .owner = {host, ""}, .slots = 2, .length = {}};
    return f.one.slots.acquire(question, 3, f.one.nonce(host)).kind;
  };
  assert_kind(ask("d"), Kind::full);
  assert_kind(ask("c"), Kind::held);
  const Release release{.op = 1, .pool = "p", .owner = {"c", ""}, .token = {}, .slots = 2};
  assert_kind(f.one.slots.release(release, 3).kind, Kind::released);
  assert_kind(ask("d"), Kind::granted);
}

void a_lowered_maxlocks_is_kept_to_by_who_still_knows_the_higher(void** state) {
  SlotFixture& f = of(state);
  const auto ask = [&] {
    const Acquire question{.op = 1, .pool = "p", .owner = {"a", ""}, .slots = 1, .length = {}};
    return f.one.slots.acquire(question, 2, "one-a").kind;
  };
  f.one.before("add", [&] {
    (void)f.two.get("x", 2);
    (void)f.two.get("y", 2);
    (void)f.two.release("x", {}, false, 2);
  });
  assert_kind(ask(), Kind::full);
  assert_kind(f.two.release("y", {}, false, 2), Kind::released);
  assert_kind(ask(), Kind::granted);
}

void a_strangers_item_keeps_its_slot(void** state) {
  SlotFixture& f = of(state);
  f.cache.put(slot_key("t:", "p", 0), "hello", seconds(0));
  assert_kind(f.one.get("a").kind, Kind::full);
  assert_kind(f.one.release("a"), Kind::not_held);
}

// A lease counts as granted now at the latest, even if the date of its server was ahead.
void a_server_ahead_on_the_date_makes_no_rest_longer(void** state) {
  SlotFixture& f = of(state);
  f.one.link.clock_ahead_us = 400'000'000'000;
  (void)f.one.get("a");
  assert_kind(f.two.release("a"), Kind::released);
  assert_kind(f.two.get("b").kind, Kind::granted);
  assert_kind(f.two.release("b"), Kind::released);

  PoolRef five;
  five.min_hold = seconds(5);
  (void)f.one.get("a");
  f.two.slots.use(five);
  assert_kind(f.two.release("a"), Kind::released);
  assert_kind(f.two.get("b").kind, Kind::full);
  f.cache.now += seconds(8);  // memcached drops a rest two seconds after its end
  assert_kind(f.two.get("b").kind, Kind::granted);
}

}  // namespace
}  // namespace distributex::test

int main() {
  using namespace distributex::test;
  const CMUnitTest tests[] = {
      test_with(SlotFixture, what_failed_half_way_is_taken_back),
      test_with(SlotFixture, a_lease_that_another_server_told_of_is_not_taken_back),
      test_with(SlotFixture, a_lease_told_of_by_nobody_else_is_taken_back),
      test_with(SlotFixture, a_mark_wins_or_loses_against_taking_back),
      test_with(SlotFixture, a_release_with_another_token_changes_nothing),
      test_with(SlotFixture, a_release_sent_twice_spares_the_next_lease),
      test_with(SlotFixture, only_an_unrenewed_lease_expires),
      test_with(SlotFixture, a_renewal_keeps_the_lease_for_its_length_anew),
      test_with(SlotFixture, tokens_rise_after_memcached_lost_everything),
      test_with(SlotFixture, tokens_rise_under_a_clock_that_is_behind),
      test_with(SlotFixture, a_lowered_maxlocks_counts_the_slots_above_it),
      test_with(SlotFixture, a_lowered_maxlocks_is_kept_to_by_who_still_knows_the_higher),
      test_with(SlotFixture, a_strangers_item_keeps_its_slot),
      test_with(SlotFixture, a_server_ahead_on_the_date_makes_no_rest_longer),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
