// SPDX-License-Identifier: MIT
// What is left behind in memcached by attempts that failed, came too late, or
// were carried out later than anybody looked. The memcached is in memory.
#include "backends/memcache/key.h"
#include "backends/memcache/leftovers.h"
#include "support/fakecache.h"
#include "support/test.h"

namespace distributex::test {
namespace {

using std::chrono::seconds;
using Kind = Verdict::Kind;

struct Fixture {
  FakeCache cache{};
  FakeLink link{cache};
  MemcacheSlots slots{link, "t:", "one"};
  std::vector<std::string> freed;
  MemcacheLeftovers leftovers{slots, [this](const std::string& name) { freed.push_back(name); }};
  PoolRef pool{"p", 1};

  SlotAnswer get(const char* host, const std::string& nonce) {
    return slots.acquire(
        {.op = 1, .pool = "p", .owner = {host, ""}, .slots = 1, .length = seconds(100)}, 1, nonce);
  }
  void look() {
    leftovers.settle_all([] { return true; });
  }
  void fail_first(const std::string& which, Fault fault) {
    link.before_command = [which, fault, done = false](const std::string& command) mutable {
      if (command != which || done) {
        return done ? Fault::not_sent : Fault::none;
      }
      done = true;
      return fault;
    };
  }
  void heal() {
    link.before_command = [](const std::string&) { return Fault::none; };
  }
};

Fixture& of(void** state) { return fixture_of<Fixture>(state); }

void a_grant_that_nobody_heard_of_is_given_back(void** state) {
  Fixture& f = of(state);
  const SlotAnswer granted = f.get("a", "n1");
  assert_true(granted.kind == Kind::granted);
  assert_false(leftover_of(granted, true, f.pool, "n1").has_value());
  auto leftover = leftover_of(granted, false, f.pool, "n1");
  assert_true(leftover.has_value());
  f.leftovers.settle(*std::move(leftover));
  assert_int_equal(f.freed.size(), 1);
  assert_true(f.leftovers.empty());
  assert_true(f.get("b", "n2").kind == Kind::granted);
}

void other_answers_leave_nothing(void** state) {
  Fixture& f = of(state);
  (void)f.get("a", "n1");
  for (const bool heard : {true, false}) {
    assert_false(leftover_of(f.get("b", "n2"), heard, f.pool, "n2").has_value());
    assert_false(leftover_of(f.get("a", "n3"), heard, f.pool, "n3").has_value());
  }
}

// The claim is still on its way when everything else fails; it arrives after three looks.
void a_claim_that_is_carried_out_late_is_given_back(void** state) {
  Fixture& f = of(state);
  f.fail_first("add", Fault::delayed);
  const SlotAnswer answer = f.get("a", "n1");
  f.heal();
  auto leftover = leftover_of(answer, true, f.pool, "n1");
  assert_true(leftover.has_value());
  f.leftovers.settle(*std::move(leftover));
  f.look();
  f.look();
  assert_int_equal(f.freed.size(), 0);
  assert_false(f.leftovers.empty());
  assert_true(f.link.deliver());
  assert_non_null(f.cache.find(slot_key("t:", "p", 0)));
  f.look();
  assert_int_equal(f.freed.size(), 1);
  assert_null(f.cache.find(slot_key("t:", "p", 0)));
  assert_true(f.leftovers.empty());
}

// A late claim expires after ten seconds, so the looks may end.
void looks_end_after_twelve(void** state) {
  Fixture& f = of(state);
  f.leftovers.keep({f.pool, "n1", {}});
  for (int i = 0; i < 11; i++) {
    f.look();
  }
  assert_false(f.leftovers.empty());
  f.look();
  assert_true(f.leftovers.empty());
}

void a_release_that_fails_is_tried_until_it_works(void** state) {
  Fixture& f = of(state);
  const SlotAnswer granted = f.get("a", "n1");
  f.link.before_command = [](const std::string&) { return Fault::not_sent; };
  f.leftovers.settle({f.pool,
                      {},
                      Release{.op = 2,
                              .pool = "p",
                              .owner = {"a", ""},
                              .token = granted.lease.token,
                              .undelivered = true}});
  for (int i = 0; i < 30; i++) {
    f.look();
  }
  assert_false(f.leftovers.empty());
  f.heal();
  f.look();
  assert_true(f.leftovers.empty());
  assert_int_equal(f.freed.size(), 1);
  assert_true(f.get("b", "n2").kind == Kind::granted);
}

void nothing_is_looked_for_without_a_connection(void** state) {
  Fixture& f = of(state);
  f.leftovers.keep({f.pool, "n1", {}});
  const size_t before = f.link.commands();
  f.leftovers.settle_all([] { return false; });
  assert_int_equal(f.link.commands(), before);
  assert_false(f.leftovers.empty());
}

}  // namespace
}  // namespace distributex::test

int main() {
  using namespace distributex::test;
  const CMUnitTest tests[] = {
      test_with(Fixture, a_grant_that_nobody_heard_of_is_given_back),
      test_with(Fixture, other_answers_leave_nothing),
      test_with(Fixture, a_claim_that_is_carried_out_late_is_given_back),
      test_with(Fixture, looks_end_after_twelve),
      test_with(Fixture, a_release_that_fails_is_tried_until_it_works),
      test_with(Fixture, nothing_is_looked_for_without_a_connection),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
