// SPDX-License-Identifier: MIT
// When clients and the record are told of changes, over a backend that decides at once and
// stores later: the engine and the record are real, the test plays the disk. First single
// rules, then a long random walk in which nothing may be told before it is stored.
#include "daemon/telling.h"
#include "support/stored_world.h"
#include "support/test.h"

namespace distributex::test {
namespace {

using std::chrono::seconds;

void a_grant_is_told_and_recorded_when_it_is_stored(void** state) {
  StoredWorld& w = fixture_of<StoredWorld>(state);
  w.submit(1, Verb::get, "p", "a");
  assert_text(w.heard(), "");
  assert_text(w.events(), "");
  assert_false(w.telling.is_idle());
  w.store();
  assert_text(w.heard(), "1 granted 1");
  assert_text(w.events(), "granted");
  assert_true(w.telling.is_idle());
}

void a_handover_is_stored_once_and_the_grant_is_told_first(void** state) {
  StoredWorld& w = fixture_of<StoredWorld>(state);
  w.submit(1, Verb::get, "p", "a");
  w.store();
  w.submit(2, Verb::wait, "p", "b");
  w.submit(3, Verb::release, "p", "a");
  assert_text(w.heard(), "1 granted 1");
  w.store();
  assert_text(w.heard(), "2 granted 2; 3 released");
}

void what_is_stored_already_is_told_at_once(void** state) {
  StoredWorld& w = fixture_of<StoredWorld>(state);
  w.submit(1, Verb::get, "p", "a");
  w.submit(2, Verb::get, "p", "a");
  assert_text(w.heard(), "");
  w.store();
  assert_text(w.heard(), "1 granted 1; 2 held 1");
  w.submit(3, Verb::get, "p", "a");
  w.submit(4, Verb::get, "p", "b");
  assert_text(w.heard(), "3 held 1; 4 busy");
}

void an_end_is_told_when_it_is_stored(void** state) {
  StoredWorld& w = fixture_of<StoredWorld>(state);
  w.submit(1, Verb::get, "p", "a");
  w.store();
  (void)w.heard();
  w.submit(2, Verb::renew, "p", "a");
  assert_text(w.heard(), "");
  w.store();
  assert_text(w.heard(), "2 renewed 1");
  w.expire("p", "a");
  w.submit(3, Verb::renew, "p", "a");
  w.submit(4, Verb::release, "p", "a");
  assert_text(w.heard(), "");
  assert_text(w.events(), "granted");
  w.store();
  assert_text(w.heard(), "3 lost; 4 not-held");
  assert_text(w.events(), "granted expired lost");
}

void a_client_that_leaves_is_recorded_in_order(void** state) {
  StoredWorld& w = fixture_of<StoredWorld>(state);
  w.submit(1, Verb::get, "p", "a");
  w.leave(1);
  assert_text(w.events(), "");
  assert_true(!w.is_held("p") && w.telling.is_idle());
  w.store();
  assert_text(w.heard(), "");
  assert_text(w.events(), "granted undelivered");
}

void what_cannot_be_stored_is_refused_and_taken_back(void** state) {
  StoredWorld& w = fixture_of<StoredWorld>(state);
  w.submit(1, Verb::get, "p", "a");
  w.submit(2, Verb::get, "p", "a");
  w.submit(3, Verb::get, "s", "c");
  w.leave(3);
  w.refuse();
  assert_text(w.heard(), "1 unavailable; 2 unavailable");
  assert_true(!w.is_held("p"));
  w.submit(4, Verb::get, "p", "b");
  assert_text(w.heard(), "4 unavailable");
  w.store();
  // No client was told of the grants, so neither the grants nor their ends become events.
  assert_text(w.events(), "refused refused refused");
  w.submit(5, Verb::get, "p", "b");
  w.store();
  assert_text(w.heard(), "5 granted 3");
}

void a_lease_that_ended_before_it_was_stored_is_refused(void** state) {
  StoredWorld& w = fixture_of<StoredWorld>(state);
  w.submit(1, Verb::get, "p", "a", seconds{5});
  w.now += seconds{6};
  w.expire("p", "a");
  w.store();
  assert_text(w.heard(), "1 unavailable");
  assert_text(w.events(), "refused");
}

// Distributex-Expires counts from the moment at which the answer is sent.
void the_rest_of_a_lease_is_reckoned_when_it_is_told(void**) {
  std::optional<Duration> left;
  StoredWorld w;
  Telling telling(w.engine, w.record,
                  {.answer = [&](Ticket, const Answer& answer) { left = answer.expires_in; },
                   .origin = [](Ticket) { return Origin{}; }});
  Answered answered;
  answered.answer.result = Result::renewed;
  answered.answer.expires_in = seconds{10};
  answered.answer.stored = 1;
  telling.answered(std::move(answered), w.now);
  telling.stored(1, w.now + seconds{3});
  assert_true(left == Duration{seconds{7}});
}

void a_random_walk_tells_nothing_too_early(void**) {
  for (uint64_t seed = 1; seed <= 30; seed++) {
    const auto wrong = StoredWorld(Choices(seed)).run(3000);
    assert_that(!wrong, "seed %d: %s", static_cast<int>(seed), wrong ? wrong->c_str() : "");
  }
}

}  // namespace
}  // namespace distributex::test

int main() {
  using namespace distributex::test;
  const CMUnitTest tests[] = {
      test_with(StoredWorld, a_grant_is_told_and_recorded_when_it_is_stored),
      test_with(StoredWorld, a_handover_is_stored_once_and_the_grant_is_told_first),
      test_with(StoredWorld, what_is_stored_already_is_told_at_once),
      test_with(StoredWorld, an_end_is_told_when_it_is_stored),
      test_with(StoredWorld, a_client_that_leaves_is_recorded_in_order),
      test_with(StoredWorld, what_cannot_be_stored_is_refused_and_taken_back),
      test_with(StoredWorld, a_lease_that_ended_before_it_was_stored_is_refused),
      cmocka_unit_test(the_rest_of_a_lease_is_reckoned_when_it_is_told),
      cmocka_unit_test(a_random_walk_tells_nothing_too_early),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
