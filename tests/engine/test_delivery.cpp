// SPDX-License-Identifier: MIT
// Grants on their way to the client: one that nobody got is given back, by its
// token and once; one that somebody heard of stays.
#include "support/test.h"
#include "support/trace.h"

using namespace distributex::test;

namespace {

void grant_that_arrived_stays(void**) {
  assert_true(holds(R"(
pools p:1:60
1 get p a
  #1 acquire p a length=60
#1 granted token=5 ends=60
  1 granted p a token=5 left=60
idle
  no
1 arrived
idle
  yes
1 gone
)"));
}

void grant_that_did_not_arrive_is_given_back_by_its_token(void**) {
  assert_true(holds(R"(
pools p:1:60
1 get p a
  #1 acquire p a length=60
#1 granted token=5 ends=60 retry=60
  1 granted p a token=5 left=60
2 wait p b
  #2 acquire p b length=60
#2 full retry=60
1 gone
  #3 release p a token=5
idle
  no
#3 released
  #4 acquire p b length=60
#4 granted token=6 ends=60
  2 granted p b token=6 left=60
)"));
}

void held_that_did_not_arrive_keeps_the_lease(void**) {
  assert_true(holds(R"(
pools p:1:60
1 get p a
  #1 acquire p a length=60
#1 granted token=5 ends=60
  1 granted p a token=5 left=60
1 arrived
2 get p a
  #2 acquire p a length=60
#2 held token=5 ends=60
  2 held p a token=5 left=60
2 gone
idle
  yes
)"));
}

void grant_stays_when_another_ticket_got_the_same_answer(void**) {
  assert_true(holds(R"(
pools p:1:60
1 wait p a
  #1 acquire p a length=60
2 wait p a
#1 granted token=5 ends=60
  1 granted p a token=5 left=60
  2 held p a token=5 left=60
1 gone
2 arrived
idle
  yes
)"));
}

void grant_stays_when_another_ticket_heard_of_it_before(void**) {
  assert_true(holds(R"(
pools p:1:60
1 get p a
  #1 acquire p a length=60
#1 granted token=5 ends=60
  1 granted p a token=5 left=60
2 get p a
  #2 acquire p a length=60
#2 held token=5 ends=60
  2 held p a token=5 left=60
2 arrived
1 gone
idle
  yes
)"));
}

void grant_stays_when_another_ticket_hears_of_it_later(void**) {
  assert_true(holds(R"(
pools p:1:60
1 get p a
  #1 acquire p a length=60
#1 granted token=5 ends=60
  1 granted p a token=5 left=60
2 get p a
  #2 acquire p a length=60
#2 held token=5 ends=60
  2 held p a token=5 left=60
1 gone
2 arrived
idle
  yes
)"));
}

void grant_that_none_of_its_tickets_got_is_given_back_once(void**) {
  assert_true(holds(R"(
pools p:1:60
1 wait p a
  #1 acquire p a length=60
2 wait p a
#1 granted token=5 ends=60
  1 granted p a token=5 left=60
  2 held p a token=5 left=60
3 get p a
  #2 acquire p a length=60
#2 held token=5 ends=60
  3 held p a token=5 left=60
1 gone
3 gone
2 gone
  #3 release p a token=5
#3 released
idle
  yes
)"));
}

void undelivered_grant_waits_for_a_verdict_that_may_tell_of_it(void**) {
  assert_true(holds(R"(
pools p:1:60
1 get p a
  #1 acquire p a length=60
#1 granted token=5 ends=60
  1 granted p a token=5 left=60
2 get p a
  #2 acquire p a length=60
1 gone
idle
  no
#2 held token=5 ends=60
  2 held p a token=5 left=60
2 arrived
idle
  yes
)"));
}

void undelivered_grant_waits_for_the_verdict_though_its_asker_has_gone(void**) {
  assert_true(holds(R"(
pools p:1:60
1 get p a
  #1 acquire p a length=60
#1 granted token=5 ends=60
  1 granted p a token=5 left=60
2 get p a
  #2 acquire p a length=60
3 wait p a
2 gone
1 gone
#2 held token=5 ends=60
  3 held p a token=5 left=60
3 arrived
idle
  yes
)"));
}

void undelivered_grant_goes_back_after_a_verdict_that_told_nobody(void**) {
  assert_true(holds(R"(
pools p:1:60
1 get p a
  #1 acquire p a length=60
#1 granted token=5 ends=60
  1 granted p a token=5 left=60
2 wait p a
  #2 acquire p a length=60
3 wait p b
1 gone
2 gone
#2 held token=5 ends=60
  #3 release p a token=5
  #4 acquire p b length=60
#3 released
#4 full
  #5 acquire p b length=60
#5 granted token=6
  3 granted p b token=6
)"));
}

void undelivered_grant_does_not_wait_for_other_holders(void**) {
  assert_true(holds(R"(
pools p:1:60
1 get p a
  #1 acquire p a length=60
#1 granted token=5 ends=60
  1 granted p a token=5 left=60
2 get p b
  #2 acquire p b length=60
1 gone
  #3 release p a token=5
)"));
}

void undelivered_grant_goes_back_when_the_next_is_another_lease(void**) {
  assert_true(holds(R"(
pools p:1:60
1 get p a
  #1 acquire p a length=60
#1 granted token=5 ends=1
  1 granted p a token=5 left=1
2 wait p a
  #2 acquire p a length=60
1 gone
at 2 #2 granted token=6 ends=62
  2 granted p a token=6 left=60 after=2
  #3 release p a token=5
#3 not_held
2 arrived
idle
  yes
)"));
}

void undelivered_grant_goes_back_after_a_failure(void**) {
  assert_true(holds(R"(
pools p:1:60
1 get p a
  #1 acquire p a length=60
#1 granted token=5 ends=60
  1 granted p a token=5 left=60
2 get p a
  #2 acquire p a length=60
1 gone
#2 failed out of reach
  2 unavailable p a: out of reach
  #3 release p a token=5
#3 failed out of reach
idle
  yes
)"));
}

void holder_that_released_and_took_again_keeps_the_new_lease(void**) {
  assert_true(holds(R"(
pools p:1:60
1 get p a
  #1 acquire p a length=60
#1 granted token=5
  1 granted p a token=5
2 release p a
  #2 release p a
#2 released
  2 released p a
3 get p a
  #3 acquire p a length=60
#3 granted token=6
  3 granted p a token=6
1 gone
  #4 release p a token=5
#4 not_held
3 arrived
idle
  yes
)"));
}

void grant_that_comes_back_wakes_the_line_though_it_is_being_asked(void**) {
  assert_true(holds(R"(
pools p:1:60
1 wait p a
  #1 acquire p a length=60
2 wait p b
1 gone
#1 granted token=5 ends=60 retry=60
  #2 release p a token=5
  #3 acquire p b length=60
#3 full
#2 released
  #4 acquire p b length=60
)"));
}

void ownerless_grant_is_not_passed_to_a_wait_of_its_holder(void**) {
  assert_true(holds(R"(
pools p:1:60
1 wait p a
  #1 acquire p a length=60
2 wait p b
3 wait p a
1 gone
#1 granted token=5 ends=60 retry=60
  #2 release p a token=5
  #3 acquire p b length=60
#2 released
#3 granted token=6 ends=60
  2 granted p b token=6 left=60
  #4 acquire p a length=60
)"));
}

}  // namespace

int main() {
  const CMUnitTest tests[] = {
      cmocka_unit_test(grant_that_arrived_stays),
      cmocka_unit_test(grant_that_did_not_arrive_is_given_back_by_its_token),
      cmocka_unit_test(held_that_did_not_arrive_keeps_the_lease),
      cmocka_unit_test(grant_stays_when_another_ticket_got_the_same_answer),
      cmocka_unit_test(grant_stays_when_another_ticket_heard_of_it_before),
      cmocka_unit_test(grant_stays_when_another_ticket_hears_of_it_later),
      cmocka_unit_test(grant_that_none_of_its_tickets_got_is_given_back_once),
      cmocka_unit_test(undelivered_grant_waits_for_a_verdict_that_may_tell_of_it),
      cmocka_unit_test(undelivered_grant_waits_for_the_verdict_though_its_asker_has_gone),
      cmocka_unit_test(undelivered_grant_goes_back_after_a_verdict_that_told_nobody),
      cmocka_unit_test(undelivered_grant_does_not_wait_for_other_holders),
      cmocka_unit_test(undelivered_grant_goes_back_when_the_next_is_another_lease),
      cmocka_unit_test(undelivered_grant_goes_back_after_a_failure),
      cmocka_unit_test(holder_that_released_and_took_again_keeps_the_new_lease),
      cmocka_unit_test(grant_that_comes_back_wakes_the_line_though_it_is_being_asked),
      cmocka_unit_test(ownerless_grant_is_not_passed_to_a_wait_of_its_holder),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
