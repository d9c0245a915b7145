// SPDX-License-Identifier: MIT
// The slot algorithm against a memcached in memory: how slots are taken, with
// another server at work between two commands. Random interleavings of several
// servers are in test_race.cpp.
#include "support/slot_servers.h"

namespace distributex::test {
namespace {

void grants_a_free_mutex_in_four_commands(void** state) {
  SlotFixture& f = of(state);
  assert_true(f.one.get("seed").kind == Kind::granted);
  assert_kind(f.one.release("seed"), Kind::released);
  const size_t before = f.one.link.commands();
  assert_kind(f.one.get("a").kind, Kind::granted);
  assert_int_equal(f.one.link.commands() - before, 4);
}

void a_semaphore_costs_one_command_more(void** state) {
  SlotFixture& f = of(state);
  (void)f.one.get("seed", 256);
  const size_t before = f.one.link.commands();
  assert_kind(f.one.get("a", 256).kind, Kind::granted);
  assert_int_equal(f.one.link.commands() - before, 5);
}

// A pool with more slots than one read fetches: leases in later parts are found, and the
// lowest free slot of all is taken.
void a_wide_pool_is_read_in_parts(void** state) {
  SlotFixture& f = of(state);
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
  SlotFixture& f = of(state);
  const SlotAnswer granted = f.one.get("a");
  assert_kind(f.two.get("b").kind, Kind::full);
  const SlotAnswer held = f.two.get("a");
  assert_kind(held.kind, Kind::held);
  assert_int_equal(held.lease.token, granted.lease.token);
}

void find_only_takes_nothing(void** state) {
  SlotFixture& f = of(state);
  assert_kind(f.one.get("a", 1, true).kind, Kind::full);
  assert_kind(f.two.get("b").kind, Kind::granted);
  assert_kind(f.one.get("b", 1, true).kind, Kind::held);
}

void a_token_is_drawn_by_who_has_the_slot(void** state) {
  SlotFixture& f = of(state);
  // Just before server one claims, server two is granted, releases and is granted again.
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
      SlotFixture f;
      SlotAnswer other;
      f.one.before(
          moment, [&] { other = f.two.get("a", 3); }, n);
      const SlotAnswer answer = f.one.get("a", 3);
      if (other.kind == Kind::failed) {
        continue;  // the command did not occur in this run
      }
      assert_int_equal(answer.lease.token, other.lease.token);
      const auto seen = f.one.slots.survey({{"p", 3}});
      assert_int_equal(seen->front().size(), 1);
    }
  }
  (void)state;
}

void the_lower_of_two_claims_of_one_owner_wins(void** state) {
  SlotFixture& f = of(state);
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
  SlotFixture& f = of(state);
  f.one.before("increment", [&] { f.one.fail_all(); });
  assert_kind(f.one.get("a").kind, Kind::failed);
  assert_kind(f.two.get("b").kind, Kind::full);
  assert_kind(f.two.get("a").kind, Kind::granted);
}

void a_claim_of_a_server_that_died_is_gone_after_seconds(void** state) {
  SlotFixture& f = of(state);
  f.one.before("increment", [&] { f.one.fail_all(); });
  (void)f.one.get("a");
  f.cache.now += seconds(11);
  assert_kind(f.two.get("b").kind, Kind::granted);
}

void a_grant_whose_answer_was_lost_is_granted(void** state) {
  for (const char* command : {"add", "increment", "replace"}) {
    SlotFixture f;
    f.one.fail(command, Fault::not_answered);
    assert_kind(f.one.get("a").kind, Kind::granted);
    assert_kind(f.two.get("b").kind, Kind::full);
  }
  (void)state;
}

void a_lease_starts_when_it_was_first_written(void** state) {
  SlotFixture& f = of(state);
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
    SlotFixture f;
    f.one.fail(command, Fault::delayed);
    assert_kind(f.one.get("a").kind, Kind::granted);
    assert_kind(f.one.release("a"), Kind::released);
    const SlotAnswer other = f.two.get("b");
    assert_true(f.one.link.deliver());
    assert_int_equal(f.two.get("b").lease.token, other.lease.token);
  }
  (void)state;
}

}  // namespace
}  // namespace distributex::test

int main() {
  using namespace distributex::test;
  const CMUnitTest tests[] = {
      test_with(SlotFixture, grants_a_free_mutex_in_four_commands),
      test_with(SlotFixture, a_semaphore_costs_one_command_more),
      test_with(SlotFixture, a_wide_pool_is_read_in_parts),
      test_with(SlotFixture, a_held_mutex_is_full_for_others_and_held_for_its_owner),
      test_with(SlotFixture, find_only_takes_nothing),
      test_with(SlotFixture, a_token_is_drawn_by_who_has_the_slot),
      test_with(SlotFixture, an_owner_who_asks_two_servers_has_one_slot),
      test_with(SlotFixture, the_lower_of_two_claims_of_one_owner_wins),
      test_with(SlotFixture, a_claim_of_a_server_that_died_is_taken_over_by_its_owner),
      test_with(SlotFixture, a_claim_of_a_server_that_died_is_gone_after_seconds),
      test_with(SlotFixture, a_grant_whose_answer_was_lost_is_granted),
      test_with(SlotFixture, a_lease_starts_when_it_was_first_written),
      test_with(SlotFixture, a_command_carried_out_too_late_changes_nothing),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
