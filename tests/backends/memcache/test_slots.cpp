// SPDX-License-Identifier: MIT
// The slot algorithm against a memcached in memory: the rules one by one, with
// another server at work between two commands. Random interleavings of several
// servers are in test_memcache_race.cpp.
#include "backends/memcache/key.h"
#include "backends/memcache/slots.h"
#include "support/fakecache.h"
#include "support/test.h"

namespace distributex::test {
namespace {

using std::chrono::seconds;
using Kind = Verdict::Kind;

struct Server {
  FakeLink link;
  MemcacheSlots slots;
  std::string name;
  Server(FakeCache& cache, const char* its_name)
      : link(cache), slots(link, "t:", its_name), name(its_name) {}

  std::string nonce(const char* host) const { return name + "-" + host; }

  SlotAnswer get(const char* host, uint32_t maxlocks = 1, bool find_only = false) {
    const Acquire question{.op = 1,
                           .pool = "p",
                           .owner = {host, ""},
                           .slots = maxlocks,
                           .length = seconds(100),
                           .find_only = find_only};
    return slots.acquire(question, maxlocks, nonce(host));
  }
  Kind release(const char* host, std::optional<Token> token = {}, bool undelivered = false,
               uint32_t maxlocks = 1) {
    const Release question{.op = 1,
                           .pool = "p",
                           .owner = {host, ""},
                           .token = token,
                           .slots = maxlocks,
                           .undelivered = undelivered};
    return slots.release(question, maxlocks).kind;
  }
  SlotAnswer renew(const char* host, std::optional<Token> token = {}) {
    const Renew question{.op = 1, .pool = "p", .owner = {host, ""}, .token = token, .length = {}};
    return slots.renew(question, 1);
  }
  // Calls `what` once, before the n-th command of that name from now on.
  void before(const std::string& which, std::function<void()> what, int n = 1) {
    link.before_command = [which, what = std::move(what), n](const std::string& command) mutable {
      if (command == which && n-- == 1) {
        what();
      }
      return Fault::none;
    };
  }
  void fail(const std::string& which, Fault fault, int n = 1) {
    link.before_command = [=](const std::string& command) mutable {
      return command == which && n-- == 1 ? fault : Fault::none;
    };
  }
  void fail_all() {
    link.before_command = [](const std::string&) { return Fault::not_sent; };
  }
};

struct Fixture {
  FakeCache cache{};
  Server one{cache, "one"};
  Server two{cache, "two"};
  PoolRef pool{"p", 1};
};

Fixture& of(void** state) { return fixture_of<Fixture>(state); }
void assert_kind(Kind is, Kind should) {
  assert_int_equal(static_cast<int>(is), static_cast<int>(should));
}

void grants_a_free_mutex_in_four_commands(void** state) {
  Fixture& f = of(state);
  assert_true(f.one.get("seed").kind == Kind::granted);
  assert_kind(f.one.release("seed"), Kind::released);
  const size_t before = f.one.link.commands();
  assert_kind(f.one.get("a").kind, Kind::granted);
  assert_int_equal(f.one.link.commands() - before, 4);
}

void a_semaphore_costs_one_command_more(void** state) {
  Fixture& f = of(state);
  (void)f.one.get("seed", 256);
  const size_t before = f.one.link.commands();
  assert_kind(f.one.get("a", 256).kind, Kind::granted);
  assert_int_equal(f.one.link.commands() - before, 5);
}

// Slots above those of one read are found as well, and the lowest free one of
// all is taken.
void a_wide_pool_is_read_in_parts(void** state) {
  Fixture& f = of(state);
  constexpr uint32_t width = 2500;
  for (uint32_t slot = 0; slot < width; slot++) {
    if (slot == 1234) {
      continue;
    }
    SlotLease lease;
    lease.owner = {"h" + std::to_string(slot), ""};
    lease.token = slot + 1;
    lease.nonce = "n" + std::to_string(slot);
    f.cache.put(slot_key("t:", "p", slot), format_slot(lease), seconds(0));
  }
  const size_t before = f.one.link.commands();
  assert_kind(f.one.get("h2400", width, true).kind, Kind::held);
  assert_int_equal(f.one.link.commands() - before, 3 + 1 + 3);  // look, mark as told, look
  assert_kind(f.one.get("new", width).kind, Kind::granted);
  assert_non_null(f.cache.find(slot_key("t:", "p", 1234)));
  assert_kind(f.two.get("other", width).kind, Kind::full);
  const auto seen = f.two.slots.survey({{"q", 1}, {"p", width}, {"r", 700}});
  assert_true(seen.has_value());
  assert_int_equal(seen->at(0).size(), 0);
  assert_int_equal(seen->at(1).size(), width);
  assert_text(seen->at(1).at(2400).owner.host, "h2400");
}

void a_held_mutex_is_full_for_others_and_held_for_its_owner(void** state) {
  Fixture& f = of(state);
  const SlotAnswer granted = f.one.get("a");
  assert_kind(f.two.get("b").kind, Kind::full);
  const SlotAnswer held = f.two.get("a");
  assert_kind(held.kind, Kind::held);
  assert_int_equal(held.lease.token, granted.lease.token);
}

void find_only_takes_nothing(void** state) {
  Fixture& f = of(state);
  assert_kind(f.one.get("a", 1, true).kind, Kind::full);
  assert_kind(f.two.get("b").kind, Kind::granted);
  assert_kind(f.one.get("b", 1, true).kind, Kind::held);
}

void a_token_is_drawn_by_who_has_the_slot(void** state) {
  Fixture& f = of(state);
  // When one is about to claim, two is granted, released and granted again.
  Token highest = 0;
  f.one.before("add", [&] {
    (void)f.two.get("b");
    (void)f.two.release("b");
    highest = f.two.get("c").lease.token;
    (void)f.two.release("c");
  });
  const SlotAnswer answer = f.one.get("a");
  assert_kind(answer.kind, Kind::granted);
  assert_true(answer.lease.token > highest);
}

void an_owner_who_asks_two_servers_has_one_slot(void** state) {
  for (const char* moment : {"read", "add", "increment", "replace"}) {
    for (int n = 1; n <= 2; n++) {
      Fixture f;
      SlotAnswer other;
      f.one.before(
          moment, [&] { other = f.two.get("a", 3); }, n);
      const SlotAnswer answer = f.one.get("a", 3);
      if (other.kind == Kind::failed) {
        continue;  // there was no such moment
      }
      assert_int_equal(answer.lease.token, other.lease.token);
      const auto seen = f.one.slots.survey({{"p", 3}});
      assert_int_equal(seen->front().size(), 1);
    }
  }
  (void)state;
}

void the_lower_of_two_claims_of_one_owner_wins(void** state) {
  Fixture& f = of(state);
  for (const uint32_t slot : {1u, 2u}) {
    SlotLease claim;
    claim.owner.host = "a";
    claim.nonce = "nonce" + std::to_string(slot);
    f.cache.put(slot_key("t:", "p", slot), format_slot(claim), seconds(10));
  }
  assert_kind(f.one.get("a", 3).kind, Kind::granted);
  assert_int_equal(f.one.slots.survey({{"p", 3}})->front().size(), 1);
  assert_non_null(f.cache.find(slot_key("t:", "p", 1)));
}

void a_claim_of_a_server_that_died_is_taken_over_by_its_owner(void** state) {
  Fixture& f = of(state);
  f.one.before("increment", [&] { f.one.fail_all(); });
  assert_kind(f.one.get("a").kind, Kind::failed);
  assert_kind(f.two.get("b").kind, Kind::full);
  assert_kind(f.two.get("a").kind, Kind::granted);
}

void a_claim_of_a_server_that_died_is_gone_after_seconds(void** state) {
  Fixture& f = of(state);
  f.one.before("increment", [&] { f.one.fail_all(); });
  (void)f.one.get("a");
  f.cache.now += seconds(11);
  assert_kind(f.two.get("b").kind, Kind::granted);
}

void a_grant_whose_answer_was_lost_is_granted(void** state) {
  for (const char* command : {"add", "increment", "replace"}) {
    Fixture f;
    f.one.fail(command, Fault::not_answered);
    assert_kind(f.one.get("a").kind, Kind::granted);
    assert_kind(f.two.get("b").kind, Kind::full);
  }
  (void)state;
}

void a_lease_starts_when_it_was_first_written(void** state) {
  Fixture& f = of(state);
  (void)f.one.get("seed");
  (void)f.one.release("seed");
  Time written{};
  f.one.link.before_command = [&](const std::string& command) {
    if (command != "replace") {
      return Fault::none;
    }
    written = f.cache.now;
    f.cache.now += std::chrono::milliseconds(500);
    return Fault::not_answered;
  };
  assert_true(f.one.get("a").started == written);
}

void a_command_carried_out_too_late_changes_nothing(void** state) {
  for (const char* command : {"add", "replace"}) {
    Fixture f;
    f.one.fail(command, Fault::delayed);
    assert_kind(f.one.get("a").kind, Kind::granted);
    assert_kind(f.one.release("a"), Kind::released);
    const SlotAnswer other = f.two.get("b");
    assert_true(f.one.link.deliver());
    assert_int_equal(f.two.get("b").lease.token, other.lease.token);
  }
  (void)state;
}

void what_failed_half_way_is_taken_back(void** state) {
  Fixture& f = of(state);
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
  Fixture& f = of(state);
  const SlotAnswer granted = f.one.get("a");
  assert_kind(f.two.get("a").kind, Kind::held);
  assert_true(f.one.slots.give_back(f.pool, "one-a") == MemcacheSlots::Undone::absent);
  assert_kind(f.one.release("a", granted.lease.token, true), Kind::not_held);
  assert_kind(f.two.get("a").kind, Kind::held);
  assert_kind(f.one.release("a", granted.lease.token), Kind::released);
}

void a_lease_told_of_by_nobody_else_is_taken_back(void** state) {
  Fixture& f = of(state);
  const SlotAnswer granted = f.one.get("a");
  assert_kind(f.one.get("a").kind, Kind::held);
  assert_kind(f.one.release("a", granted.lease.token, true), Kind::released);
}

void a_mark_wins_or_loses_against_taking_back(void** state) {
  Fixture& f = of(state);
  (void)f.one.get("a");
  SlotAnswer other;
  f.one.before("remove", [&] { other = f.two.get("a"); });
  const auto undone = f.one.slots.give_back(f.pool, "one-a");
  assert_kind(other.kind, Kind::held);
  assert_true(undone == MemcacheSlots::Undone::absent);
  Fixture g;
  (void)g.one.get("a");
  g.two.before("append", [&] { (void)g.one.slots.give_back(g.pool, "one-a"); });
  assert_kind(g.two.get("a").kind, Kind::granted);
}

void a_release_with_another_token_changes_nothing(void** state) {
  Fixture& f = of(state);
  const Token token = f.one.get("a").lease.token;
  assert_kind(f.two.release("a", token + 1), Kind::not_held);
  assert_kind(f.two.release("b"), Kind::not_held);
  assert_kind(f.two.renew("a", token + 1).kind, Kind::lost);
  assert_kind(f.two.release("a", token), Kind::released);
  assert_kind(f.two.renew("a", token).kind, Kind::lost);
}

void a_release_sent_twice_spares_the_next_lease(void** state) {
  Fixture& f = of(state);
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
  Fixture& f = of(state);
  (void)f.one.get("a");
  assert_kind(f.two.renew("a").kind, Kind::renewed);
  assert_true(f.one.slots.expire(f.pool, "one-a") == MemcacheSlots::Undone::absent);
  assert_kind(f.one.release("a"), Kind::released);
  (void)f.one.get("a");
  assert_kind(f.two.get("a").kind, Kind::held);
  assert_true(f.one.slots.expire(f.pool, "one-a") == MemcacheSlots::Undone::gone);
}

void a_renewal_keeps_the_lease_for_its_length_anew(void** state) {
  Fixture& f = of(state);
  (void)f.one.get("a");
  f.cache.now += seconds(99);
  assert_kind(f.two.renew("a").kind, Kind::renewed);
  f.cache.now += seconds(101);
  assert_kind(f.two.get("b").kind, Kind::full);
  f.cache.now += seconds(2);
  assert_kind(f.two.get("b").kind, Kind::granted);
}

void tokens_rise_after_memcached_lost_everything(void** state) {
  Fixture& f = of(state);
  const Token before = f.one.get("a").lease.token;
  f.cache.forget_all();
  f.cache.now += std::chrono::milliseconds(1);
  assert_true(f.two.get("b").lease.token > before);
}

void tokens_rise_under_a_clock_that_is_behind(void** state) {
  Fixture& f = of(state);
  const Token before = f.one.get("a").lease.token;
  assert_kind(f.two.get("b").kind, Kind::full);  // two sees the token
  f.cache.forget_all();
  f.two.link.clock_ahead_us = -9'000'000'000;
  const Token after = f.two.get("b").lease.token;
  assert_true(after > before);
  // A third server, of which two knows nothing, seeds far too low.
  f.cache.forget_all();
  Server three(f.cache, "three");
  three.link.clock_ahead_us = -90'000'000'000;
  (void)three.get("c");
  (void)three.release("c");
  assert_true(f.two.get("b").lease.token > after);
}

void a_lowered_maxlocks_counts_the_slots_above_it(void** state) {
  Fixture& f = of(state);
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
  Fixture& f = of(state);
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
  Fixture& f = of(state);
  f.cache.put(slot_key("t:", "p", 0), "hello", seconds(0));
  assert_kind(f.one.get("a").kind, Kind::full);
  assert_kind(f.one.release("a"), Kind::not_held);
}

}  // namespace
}  // namespace distributex::test

int main() {
  using namespace distributex::test;
  const CMUnitTest tests[] = {
      test_with(Fixture, grants_a_free_mutex_in_four_commands),
      test_with(Fixture, a_semaphore_costs_one_command_more),
      test_with(Fixture, a_wide_pool_is_read_in_parts),
      test_with(Fixture, a_held_mutex_is_full_for_others_and_held_for_its_owner),
      test_with(Fixture, find_only_takes_nothing),
      test_with(Fixture, a_token_is_drawn_by_who_has_the_slot),
      test_with(Fixture, an_owner_who_asks_two_servers_has_one_slot),
      test_with(Fixture, the_lower_of_two_claims_of_one_owner_wins),
      test_with(Fixture, a_claim_of_a_server_that_died_is_taken_over_by_its_owner),
      test_with(Fixture, a_claim_of_a_server_that_died_is_gone_after_seconds),
      test_with(Fixture, a_grant_whose_answer_was_lost_is_granted),
      test_with(Fixture, a_lease_starts_when_it_was_first_written),
      test_with(Fixture, a_command_carried_out_too_late_changes_nothing),
      test_with(Fixture, what_failed_half_way_is_taken_back),
      test_with(Fixture, a_lease_that_another_server_told_of_is_not_taken_back),
      test_with(Fixture, a_lease_told_of_by_nobody_else_is_taken_back),
      test_with(Fixture, a_mark_wins_or_loses_against_taking_back),
      test_with(Fixture, a_release_with_another_token_changes_nothing),
      test_with(Fixture, a_release_sent_twice_spares_the_next_lease),
      test_with(Fixture, only_an_unrenewed_lease_expires),
      test_with(Fixture, a_renewal_keeps_the_lease_for_its_length_anew),
      test_with(Fixture, tokens_rise_after_memcached_lost_everything),
      test_with(Fixture, tokens_rise_under_a_clock_that_is_behind),
      test_with(Fixture, a_lowered_maxlocks_counts_the_slots_above_it),
      test_with(Fixture, a_lowered_maxlocks_is_kept_to_by_who_still_knows_the_higher),
      test_with(Fixture, a_strangers_item_keeps_its_slot),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
