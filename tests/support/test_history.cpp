// SPDX-License-Identifier: MIT
// The history checker finds each kind of breach, and complains of nothing else.
#include "support/history.h"
#include "support/test.h"

namespace distributex::test {
namespace {

History::Time at(int ms) { return History::Time{} + std::chrono::milliseconds(ms); }

History mutex() {
  History history;
  history.slots("p", 1);
  return history;
}

void accepts_one_holder_after_the_other(void**) {
  History history = mutex();
  history.told("p", "a", 1, at(0), at(1), at(100));
  history.let_go("p", 1, at(10));
  history.told("p", "b", 2, at(5), at(11), at(100));
  history.told("p", "c", 7, at(5), at(100), at(200));
  assert_text(history.verdict(), "");
}

void finds_two_holders_of_a_mutex(void**) {
  History history = mutex();
  history.told("p", "a", 1, at(0), at(1), at(100));
  history.told("p", "b", 2, at(5), at(99), at(200));
  assert_text(history.verdict(), "p: too many at once: a/1 b/2");
}

void finds_a_holder_whose_lease_was_renewed(void**) {
  History history = mutex();
  history.told("p", "a", 1, at(0), at(1), at(100));
  history.told("p", "a", 1, at(50), at(51), at(150));
  history.told("p", "b", 2, at(5), at(120), at(200));
  assert_text(history.verdict(), "p: too many at once: a/1 b/2");
}

void finds_one_too_many_in_a_semaphore(void**) {
  History history;
  history.slots("p", 2);
  history.told("p", "a", 1, at(0), at(1));
  history.told("p", "b", 2, at(0), at(2));
  history.told("p", "c", 3, at(0), at(3));
  assert_text(history.verdict(), "p: too many at once: a/1 b/2 c/3");
}

void finds_a_mutex_token_that_fell(void**) {
  History history = mutex();
  history.told("p", "a", 6, at(0), at(1));
  history.let_go("p", 6, at(2));
  history.told("p", "b", 5, at(0), at(3));
  assert_text(history.verdict(), "p: token 5 of b came after 6 of a");
}

// It was granted first, and heard of when its lease was over and another's.
void takes_an_answer_that_came_too_late_for_no_holder(void**) {
  History history = mutex();
  history.told("p", "b", 6, at(40), at(50), at(100));
  history.told("p", "a", 5, at(0), at(60), at(30));
  assert_text(history.verdict(), "");
  history.told("p", "c", 4, at(70), at(80), at(75));
  assert_text(history.verdict(), "p: token 4 of c came after 6 of b");
}

void finds_a_semaphore_token_below_one_answered_before(void**) {
  History history;
  history.slots("p", 2);
  history.told("p", "a", 6, at(0), at(1));
  history.told("p", "b", 5, at(2), at(3));
  assert_text(history.verdict(), "p: token 5 of b came after 6 of a");
}

void lets_semaphore_grants_overlap_in_any_order(void**) {
  History history;
  history.slots("p", 2);
  history.told("p", "a", 6, at(0), at(2));
  history.told("p", "b", 5, at(1), at(3));
  assert_text(history.verdict(), "");
}

void finds_a_token_given_twice(void**) {
  History history;
  history.slots("p", 2);
  history.told("p", "a", 6, at(0), at(2));
  history.told("p", "b", 6, at(1), at(3));
  assert_text(history.verdict(), "p: token 6 twice");
}

void forgives_holders_from_before_a_loss_but_not_their_tokens(void**) {
  History history = mutex();
  history.told("p", "a", 6, at(0), at(1));
  history.lost_all(at(10), at(20));
  history.told("p", "b", 7, at(30), at(31));
  assert_text(history.verdict(), "");
  history.told("p", "c", 8, at(32), at(33));
  assert_text(history.verdict(), "p: too many at once: b/7 c/8");
}

void forgets_what_is_settled(void**) {
  History history = mutex();
  history.told("p", "a", 6, at(0), at(1), at(100));
  history.let_go("p", 6, at(10));
  history.told("p", "b", 7, at(11), at(12), at(100));
  assert_text(history.settle(at(20)), "");
  assert_int_equal(history.grants("p"), 1);
  history.told("p", "c", 8, at(21), at(22));
  assert_text(history.verdict(), "p: too many at once: b/7 c/8");
}

void remembers_the_highest_token_that_is_settled(void**) {
  History history = mutex();
  history.told("p", "a", 6, at(0), at(1), at(10));
  assert_text(history.settle(at(20)), "");
  assert_int_equal(history.grants("p"), 0);
  history.told("p", "b", 6, at(21), at(22), at(30));
  assert_text(history.settle(at(40)), "p: token 6 of b came after 6, which is settled");
}

void remembers_a_loss_as_long_as_it_excuses_somebody(void**) {
  History history = mutex();
  history.told("p", "a", 6, at(0), at(1));
  history.lost_all(at(10), at(20));
  assert_text(history.settle(at(15)), "");
  history.told("p", "b", 7, at(15), at(30));
  history.told("p", "c", 8, at(50), at(60));
  assert_text(history.settle(at(70)), "");
  history.told("p", "d", 9, at(301), at(302));
  assert_text(history.verdict(), "p: too many at once: c/8 d/9");
}

}  // namespace
}  // namespace distributex::test

int main() {
  using namespace distributex::test;
  const CMUnitTest tests[] = {
      cmocka_unit_test(accepts_one_holder_after_the_other),
      cmocka_unit_test(finds_two_holders_of_a_mutex),
      cmocka_unit_test(finds_a_holder_whose_lease_was_renewed),
      cmocka_unit_test(finds_one_too_many_in_a_semaphore),
      cmocka_unit_test(finds_a_mutex_token_that_fell),
      cmocka_unit_test(takes_an_answer_that_came_too_late_for_no_holder),
      cmocka_unit_test(finds_a_semaphore_token_below_one_answered_before),
      cmocka_unit_test(lets_semaphore_grants_overlap_in_any_order),
      cmocka_unit_test(finds_a_token_given_twice),
      cmocka_unit_test(forgives_holders_from_before_a_loss_but_not_their_tokens),
      cmocka_unit_test(forgets_what_is_settled),
      cmocka_unit_test(remembers_the_highest_token_that_is_settled),
      cmocka_unit_test(remembers_a_loss_as_long_as_it_excuses_somebody),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
