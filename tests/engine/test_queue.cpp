// SPDX-License-Identifier: MIT
// Who is asked next: the rules of the line of a pool, one trace each. Waits
// that end early are in test_waits.cpp.
#include "support/test.h"
#include "support/trace.h"

using namespace distributex::test;

namespace {

void first_come_first_served(void**) {
  assert_true(holds(R"(
pools p:1:60
1 wait p a
  #1 acquire p a length=60
#1 granted token=1 ends=60 retry=60
  1 granted p a token=1 left=60
1 arrived
at 1 2 wait p b
  #2 acquire p b length=60
3 wait p c
4 wait p d
#2 full retry=60
  #3 find p c length=60
#3 full retry=60
  #4 find p d length=60
#4 full retry=60
waiting p
  b since=1 c since=1 d since=1
at 5 5 release p a
  #5 release p a
#5 released
  5 released p a
  #6 acquire p b length=60
#6 granted token=2 ends=65 retry=65
  2 granted p b token=2 left=60 after=4
2 arrived
at 6 6 release p b
  #7 release p b
#7 released
  6 released p b
  #8 acquire p c length=60
#8 granted token=3 ends=66 retry=66
  3 granted p c token=3 left=60 after=5
)"));
}

void newcomers_are_asked_in_their_order(void**) {
  assert_true(holds(R"(
pools p:1:60
1 wait p a
  #1 acquire p a length=60
2 wait p b
3 get p c
waiting p
  a since=0 b since=0 c since=0
#1 full retry=60
  #2 find p b length=60
#2 full retry=60
  #3 find p c length=60
#3 full retry=60
  3 busy p c
waiting p
  a since=0 b since=0
)"));
}

void nobody_barges_past_the_line(void**) {
  assert_true(holds(R"(
pools p:2:60
1 wait p b
  #1 acquire p b slots=2 length=60
#1 full retry=60
2 get p c
  #2 find p c slots=2 length=60
#2 full retry=60
  2 busy p c
at 1 3 wait p d timeout=0
  #3 find p d slots=2 length=60
#3 full retry=60
  3 timeout p d
waiting p
  b since=0
)"));
}

void slot_that_comes_free_goes_to_the_line_though_a_newcomer_is_being_asked(void**) {
  assert_true(holds(R"(
pools p:1:60
1 wait p b
  #1 acquire p b length=60
#1 full retry=60
2 get p c
  #2 find p c length=60
changed p
#2 full
  2 busy p c
  #3 acquire p b length=60
#3 granted token=1 ends=60 retry=60
  1 granted p b token=1 left=60
)"));
}

void line_that_is_due_goes_before_newcomers(void**) {
  assert_true(holds(R"(
pools p:1:60
1 wait p b
  #1 acquire p b length=60
#1 full retry=60
2 wait p c
  #2 find p c length=60
3 wait p d
at 60 tick
#2 full retry=70
  #3 acquire p b length=60
#3 full retry=70
  #4 find p d length=60
)"));
}

void newcomer_takes_a_slot_once_the_line_is_empty(void**) {
  assert_true(holds(R"(
pools p:1:60
1 wait p b
  #1 acquire p b length=60
#1 full retry=60
1 gone
2 get p c
  #2 acquire p c length=60
)"));
}

void refused_head_keeps_its_place(void**) {
  assert_true(holds(R"(
pools p:1:60
1 wait p b
  #1 acquire p b length=60
2 wait p c
#1 full retry=10
  #2 find p c length=60
#2 full retry=10
at 10 tick
  #3 acquire p b length=60
#3 full retry=20
waiting p
  b since=0 c since=0
at 20 tick
  #4 acquire p b length=60
)"));
}

void line_is_due_when_the_backend_says_so(void**) {
  assert_true(holds(R"(
pools p:1:60
1 wait p b
  #1 acquire p b length=60
deadline
  none
#1 full retry=7
deadline
  7
at 6.999 tick
at 7 tick
  #2 acquire p b length=60
deadline
  none
#2 full
deadline
  none
at 1000 tick
changed p
  #3 acquire p b length=60
)"));
}

void full_pool_is_not_asked_again_at_the_same_moment(void**) {
  assert_true(holds(R"(
pools p:1:60
at 5 1 wait p b
  #1 acquire p b length=60
#1 full retry=5
deadline
  5.001
tick
at 5.001 tick
  #2 acquire p b length=60
)"));
}

void line_is_due_when_the_pool_has_changed(void**) {
  assert_true(holds(R"(
pools p:1:60 q:1:60
1 wait p b
  #1 acquire p b length=60
2 wait q b
  #2 acquire q b length=60
#1 full
#2 full
changed p
  #3 acquire p b length=60
)"));
}

void change_during_a_question_asks_once_more(void**) {
  assert_true(holds(R"(
pools p:1:60
1 wait p b
  #1 acquire p b length=60
changed p
#1 full retry=60
  #2 acquire p b length=60
#2 full retry=60
deadline
  60
)"));
}

void grant_leaves_room_for_as_many_as_the_backend_says(void**) {
  assert_true(holds(R"(
pools p:3:60
1 wait p a
  #1 acquire p a slots=3 length=60
2 wait p b
3 wait p c
4 wait p d
#1 full
  #2 find p b slots=3 length=60
#2 full
  #3 find p c slots=3 length=60
#3 full
  #4 find p d slots=3 length=60
#4 full
changed p
  #5 acquire p a slots=3 length=60
#5 granted token=1 ends=60 retry=0
  1 granted p a token=1 left=60
  #6 acquire p b slots=3 length=60
#6 granted token=2 ends=60 retry=0
  2 granted p b token=2 left=60
  #7 acquire p c slots=3 length=60
#7 granted token=3 ends=60 retry=60
  3 granted p c token=3 left=60
deadline
  60
)"));
}

void change_during_a_grant_asks_for_the_next(void**) {
  assert_true(holds(R"(
pools p:2:60
1 wait p a
  #1 acquire p a slots=2 length=60
2 wait p b
#1 full
  #2 find p b slots=2 length=60
#2 full
changed p
  #3 acquire p a slots=2 length=60
changed p
#3 granted token=1 ends=60 retry=60
  1 granted p a token=1 left=60
  #4 acquire p b slots=2 length=60
)"));
}

}  // namespace

int main() {
  const CMUnitTest tests[] = {
      cmocka_unit_test(first_come_first_served),
      cmocka_unit_test(newcomers_are_asked_in_their_order),
      cmocka_unit_test(nobody_barges_past_the_line),
      cmocka_unit_test(slot_that_comes_free_goes_to_the_line_though_a_newcomer_is_being_asked),
      cmocka_unit_test(line_that_is_due_goes_before_newcomers),
      cmocka_unit_test(newcomer_takes_a_slot_once_the_line_is_empty),
      cmocka_unit_test(refused_head_keeps_its_place),
      cmocka_unit_test(line_is_due_when_the_backend_says_so),
      cmocka_unit_test(full_pool_is_not_asked_again_at_the_same_moment),
      cmocka_unit_test(line_is_due_when_the_pool_has_changed),
      cmocka_unit_test(change_during_a_question_asks_once_more),
      cmocka_unit_test(grant_leaves_room_for_as_many_as_the_backend_says),
      cmocka_unit_test(change_during_a_grant_asks_for_the_next),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
