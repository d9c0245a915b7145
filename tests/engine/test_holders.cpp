// SPDX-License-Identifier: MIT
// Who holds already: such an owner is told at once, everywhere it waits; and
// the lengths, the release and the renewal of its lease.
#include "support/test.h"
#include "support/trace.h"

using namespace distributex::test;

namespace {

void holder_is_told_at_once_though_others_wait(void**) {
  assert_true(holds(R"(
pools p:1:60
1 wait p b
  #1 acquire p b length=60
2 wait p c
#1 full retry=60
  #2 find p c length=60
#2 full retry=60
at 2 3 get p a
  #3 find p a length=60
#3 held token=7 ends=60
  3 held p a token=7 left=58
4 wait p a
  #4 find p a length=60
#4 held token=7 ends=60
  4 held p a token=7 left=58
waiting p
  b since=0 c since=0
)"));
}

void holder_that_was_asked_first_lets_the_next_be_asked(void**) {
  assert_true(holds(R"(
pools p:1:60
1 wait p a
  #1 acquire p a length=60
2 wait p b
#1 full retry=60
  #2 find p b length=60
#2 full retry=60
changed p
  #3 acquire p a length=60
#3 held token=7 ends=60
  1 held p a token=7 left=60
  #4 acquire p b length=60
#4 granted token=8
  2 granted p b token=8
)"));
}

void all_waits_of_one_holder_are_answered_together(void**) {
  assert_true(holds(R"(
pools p:1:60
1 wait p a
  #1 acquire p a length=60
2 wait p b
3 wait p a
4 wait p a/1
#1 full
  #2 find p b length=60
#2 full
  #3 find p a length=60
#3 full
  #4 find p a/1 length=60
#4 full
5 wait p c
  #5 find p c length=60
6 wait p a
7 get p a
changed p
#5 full
  #6 acquire p a length=60
#6 granted token=9 ends=60
  1 granted p a token=9 left=60
  3 held p a token=9 left=60
  6 held p a token=9 left=60
  7 held p a token=9 left=60
waiting p
  b since=0 a/1 since=0 c since=0
)"));
}

void held_answers_all_waits_of_the_holder(void**) {
  assert_true(holds(R"(
pools p:1:60
1 wait p b
  #1 acquire p b length=60
2 wait p a
#1 full
  #2 find p a length=60
#2 full
3 wait p a
  #3 find p a length=60
4 get p a
#3 held token=9
  2 held p a token=9
  3 held p a token=9
  4 held p a token=9
waiting p
  b since=0
)"));
}

void held_answers_those_who_wait_though_the_asker_has_gone(void**) {
  assert_true(holds(R"(
pools p:1:60
1 get p a
  #1 acquire p a length=60
2 wait p a
3 get p b
1 gone
#1 held token=9
  2 held p a token=9
  #2 acquire p b length=60
)"));
}

void id_makes_another_holder_of_the_same_host(void**) {
  assert_true(holds(R"(
pools p:2:60
1 wait p a/1
  #1 acquire p a/1 slots=2 length=60
2 wait p a/2
3 wait p a
#1 granted token=1 retry=0
  1 granted p a/1 token=1
  #2 acquire p a/2 slots=2 length=60
#2 granted token=2
  2 granted p a/2 token=2
  #3 acquire p a slots=2 length=60
)"));
}

void lease_is_as_long_as_the_pool_says(void**) {
  assert_true(holds(R"(
pools p:1:60
1 get p a
  #1 acquire p a length=60
2 wait p b
#1 granted token=1 ends=60
  1 granted p a token=1 left=60
  #2 acquire p b length=60
at 2 #2 granted token=2 ends=61.5
  2 granted p b token=2 left=59.5 after=2
)"));
}

void shorter_lease_on_request_never_a_longer_one(void**) {
  assert_true(holds(R"(
pools p:1:60
1 get p a expire=5
  #1 acquire p a length=5
#1 full
  1 busy p a
2 wait p a expire=60
  #2 acquire p a length=60
#2 full
3 get p b expire=61
  #3 find p b length=60
#3 full
  3 busy p b
)"));
}

void lease_of_a_pool_without_expiry_never_ends(void**) {
  assert_true(holds(R"(
pools p:1:0
1 get p a
  #1 acquire p a
#1 granted token=1
  1 granted p a token=1
2 get p b expire=5
  #2 acquire p b
)"));
}

void waiter_in_line_keeps_the_length_it_asked_for(void**) {
  assert_true(holds(R"(
pools p:1:60
1 wait p a expire=5
  #1 acquire p a length=5
#1 full
2 wait p b
  #2 find p b length=60
#2 full
changed p
  #3 acquire p a length=5
)"));
}

void time_left_is_never_negative(void**) {
  assert_true(holds(R"(
pools p:1:60
1 get p a
  #1 acquire p a length=60
at 61 #1 granted token=1 ends=60
  1 granted p a token=1 left=0 after=61
)"));
}

void release_names_the_token_when_it_was_given(void**) {
  assert_true(holds(R"(
pools p:2:60
1 release p a
  #1 release p a slots=2
2 release p a/1 token=17
  #2 release p a/1 slots=2 token=17
#1 released
  1 released p a
#2 not_held
  2 not_held p a/1
idle
  yes
)"));
}

void release_wakes_the_head_of_the_line(void**) {
  assert_true(holds(R"(
pools p:1:60 q:1:60
1 wait p b
  #1 acquire p b length=60
2 wait q c
  #2 acquire q c length=60
#1 full
#2 full
3 release p a
  #3 release p a
#3 not_held
  3 not_held p a
4 release p a
  #4 release p a
#4 released
  4 released p a
  #5 acquire p b length=60
)"));
}

void release_during_a_question_asks_once_more(void**) {
  assert_true(holds(R"(
pools p:1:60
1 wait p b
  #1 acquire p b length=60
2 release p a
  #2 release p a
#1 full
#2 released
  2 released p a
  #3 acquire p b length=60
#3 granted token=2
  1 granted p b token=2
3 wait p c
  #4 acquire p c length=60
4 release p b
  #5 release p b
#5 released
  4 released p b
#4 full
  #6 acquire p c length=60
)"));
}

void renewal_without_a_length_keeps_it(void**) {
  assert_true(holds(R"(
pools p:1:60
1 renew p a
  #1 renew p a
#1 renewed token=4 ends=60
  1 renewed p a token=4 left=60
)"));
}

void renewal_changes_the_length_within_the_pools(void**) {
  assert_true(holds(R"(
pools p:1:60
1 renew p a token=4 expire=10
  #1 renew p a token=4 length=10
2 renew p a token=4 expire=70
  #2 renew p a token=4 length=60
#1 renewed token=4 ends=10
  1 renewed p a token=4 left=10
#2 renewed token=4 ends=60
  2 renewed p a token=4 left=60
)"));
}

void renewal_in_a_pool_without_expiry_keeps_it(void**) {
  assert_true(holds(R"(
pools p:1:0
1 renew p a token=4 expire=10
  #1 renew p a token=4
#1 renewed token=4
  1 renewed p a token=4
)"));
}

void renewal_of_what_is_no_longer_held_is_lost(void**) {
  assert_true(holds(R"(
pools p:1:60
1 renew p a token=4
  #1 renew p a token=4
#1 lost
  1 lost p a
idle
  yes
)"));
}

void renewal_to_a_shorter_lease_wakes_the_line_at_its_end(void**) {
  assert_true(holds(R"(
pools p:1:60
1 wait p b
  #1 acquire p b length=60
#1 full retry=60
at 1 2 renew p a expire=5
  #2 renew p a length=5
#2 renewed token=4 ends=6
  2 renewed p a token=4 left=5
deadline
  6
at 6 tick
  #3 acquire p b length=60
#3 full retry=8
at 6.5 3 renew p a
  #4 renew p a
#4 renewed token=4 ends=11.5
  3 renewed p a token=4 left=5
deadline
  8
)"));
}

}  // namespace

int main() {
  const CMUnitTest tests[] = {
      cmocka_unit_test(holder_is_told_at_once_though_others_wait),
      cmocka_unit_test(holder_that_was_asked_first_lets_the_next_be_asked),
      cmocka_unit_test(all_waits_of_one_holder_are_answered_together),
      cmocka_unit_test(held_answers_all_waits_of_the_holder),
      cmocka_unit_test(held_answers_those_who_wait_though_the_asker_has_gone),
      cmocka_unit_test(id_makes_another_holder_of_the_same_host),
      cmocka_unit_test(lease_is_as_long_as_the_pool_says),
      cmocka_unit_test(shorter_lease_on_request_never_a_longer_one),
      cmocka_unit_test(lease_of_a_pool_without_expiry_never_ends),
      cmocka_unit_test(waiter_in_line_keeps_the_length_it_asked_for),
      cmocka_unit_test(time_left_is_never_negative),
      cmocka_unit_test(release_names_the_token_when_it_was_given),
      cmocka_unit_test(release_wakes_the_head_of_the_line),
      cmocka_unit_test(release_during_a_question_asks_once_more),
      cmocka_unit_test(renewal_without_a_length_keeps_it),
      cmocka_unit_test(renewal_changes_the_length_within_the_pools),
      cmocka_unit_test(renewal_in_a_pool_without_expiry_keeps_it),
      cmocka_unit_test(renewal_of_what_is_no_longer_held_is_lost),
      cmocka_unit_test(renewal_to_a_shorter_lease_wakes_the_line_at_its_end),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
