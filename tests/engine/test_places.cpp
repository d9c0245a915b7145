// SPDX-License-Identifier: MIT
// A waiter that leaves the queue and comes back soon has its old place; for how long, for
// whom and for how many that holds; and that a remembered place keeps nobody waiting.
#include "engine/places.h"
#include "support/test.h"
#include "support/trace.h"

using namespace distributex::test;

namespace {

void client_that_was_cut_off_comes_back_to_its_place(void**) {
  assert_true(holds(R"(
pools p:1:60
1 wait p a/1
  #1 acquire p a/1 length=60
#1 full
2 wait p b/1
  #2 find p b/1 length=60
#2 full
3 wait p c/1
  #3 find p c/1 length=60
#3 full
at 2 2 gone
waiting p
  a/1 since=0 c/1 since=0
at 11 4 wait p b/1
  #4 find p b/1 length=60
#4 full
waiting p
  a/1 since=0 b/1 since=11 c/1 since=0
5 wait p d
  #5 find p d length=60
#5 full
waiting p
  a/1 since=0 b/1 since=11 c/1 since=0 d since=11
)"));
}

void head_that_comes_back_is_the_head_again(void**) {
  assert_true(holds(R"(
pools p:1:60
1 wait p a
  #1 acquire p a length=60
#1 full retry=60
2 wait p b
  #2 find p b length=60
#2 full
1 gone
3 wait p a
  #3 find p a length=60
#3 full
changed p
  #4 acquire p a length=60
#4 granted token=7
  3 granted p a token=7
waiting p
  b since=0
)"));
}

void wait_that_timed_out_may_go_on_at_its_place(void**) {
  assert_true(holds(R"(
pools p:1:60
1 wait p a timeout=5
  #1 acquire p a length=60
#1 full retry=60
2 wait p b
  #2 find p b length=60
#2 full
at 5 tick
  1 timeout p a after=5
at 6 3 wait p a timeout=5
  #3 find p a length=60
#3 full
waiting p
  a since=6 b since=0
at 11 tick
  3 timeout p a after=5
4 wait p a timeout=5
  #4 find p a length=60
#4 full
waiting p
  a since=11 b since=0
)"));
}

void place_is_remembered_for_ten_seconds(void**) {
  assert_true(holds(R"(
pools p:1:60
1 wait p a
  #1 acquire p a length=60
#1 full retry=60
2 wait p b
  #2 find p b length=60
#2 full
1 gone
at 10 3 wait p a
  #3 find p a length=60
#3 full
waiting p
  b since=0 a since=10
)"));
}

void remembered_place_holds_nobody_up(void**) {
  assert_true(holds(R"(
pools p:1:60
1 wait p a
  #1 acquire p a length=60
#1 full retry=60
2 wait p b
  #2 find p b length=60
#2 full
1 gone
changed p
  #3 acquire p b length=60
#3 granted token=7
  2 granted p b token=7
idle
  no
2 arrived
idle
  yes
3 wait p a
  #4 acquire p a length=60
)"));
}

// A get and a wait with timeout=0 never stand in the queue, so they leave no place.
void only_who_stood_in_the_line_has_a_place(void**) {
  assert_true(holds(R"(
pools p:1:60
1 get p a
  #1 acquire p a length=60
#1 full
  1 busy p a
2 wait p b timeout=0
  #2 acquire p b length=60
#2 full
  2 timeout p b
3 wait p c
  #3 acquire p c length=60
#3 full
4 wait p b
  #4 find p b length=60
#4 full
5 wait p a
  #5 find p a length=60
#5 full
waiting p
  c since=0 b since=0 a since=0
)"));
}

// A get leaves the place for the owner's next wait.
void get_does_not_use_the_place_up(void**) {
  assert_true(holds(R"(
pools p:1:60
1 wait p a
  #1 acquire p a length=60
#1 full
2 wait p b
  #2 find p b length=60
#2 full
1 gone
3 get p a
  #3 find p a length=60
#3 full
  3 busy p a
4 wait p a
  #4 find p a length=60
#4 full
waiting p
  a since=0 b since=0
)"));
}

void place_ends_when_its_owner_has_the_lock(void**) {
  assert_true(holds(R"(
pools p:1:60
1 wait p a
  #1 acquire p a length=60
#1 full
2 wait p a
  #2 find p a length=60
#2 full
3 wait p b
  #3 find p b length=60
#3 full
1 gone
changed p
  #4 acquire p a length=60
#4 granted token=7
  2 granted p a token=7
2 arrived
4 release p a
  #5 release p a
#5 released
  4 released p a
  #6 acquire p b length=60
#6 full
5 wait p a
  #7 find p a length=60
#7 full
waiting p
  b since=0 a since=0
)"));
}

void better_place_of_two_is_remembered(void**) {
  assert_true(holds(R"(
pools p:1:60
1 wait p a
  #1 acquire p a length=60
#1 full
2 wait p b
  #2 find p b length=60
#2 full
3 wait p a
  #3 find p a length=60
#3 full
1 gone
3 gone
4 wait p a
  #4 find p a length=60
#4 full
waiting p
  a since=0 b since=0
)"));
}

// As many places as may wait; the oldest is forgotten first.
void places_are_bounded(void**) {
  assert_true(holds(R"(
pools max=2 p:1:60
1 wait p a
  #1 acquire p a length=60
#1 full
1 gone
2 wait p b
  #2 acquire p b length=60
#2 full
2 gone
3 wait p c
  #3 acquire p c length=60
#3 full
3 gone
4 wait p d
  #4 acquire p d length=60
#4 full
5 wait p a
  #5 find p a length=60
#5 full
waiting p
  d since=0 a since=0
5 gone
6 wait p c
  #6 find p c length=60
#6 full
waiting p
  c since=0 d since=0
)"));
}

void places_of_a_removed_pool_are_forgotten(void**) {
  assert_true(holds(R"(
pools p:1:60
1 wait p a
  #1 acquire p a length=60
1 gone
pools q:1:60
#1 full
pools p:1:60
2 wait p b
  #2 acquire p b length=60
#2 full
3 wait p a
  #3 find p a length=60
#3 full
waiting p
  b since=0 a since=0
)"));
}

// A node of a fleet asks again after minutes.
void place_is_remembered_as_long_as_its_client_said(void**) {
  using namespace distributex;
  using std::chrono::seconds;
  const Time start{};
  Places places;
  places.keep({"node", ""}, 1, start + seconds{660}, 10, start);
  places.keep({"shell", ""}, 2, start + seconds{10}, 10, start);
  places.forget_old(start + seconds{10});
  assert_false(places.find({"shell", ""}, start + seconds{10}).has_value());
  assert_int_equal(places.find({"node", ""}, start + seconds{659}).value_or(0), 1);
  assert_false(places.find({"node", ""}, start + seconds{660}).has_value());
}

}  // namespace

int main() {
  const CMUnitTest tests[] = {
      cmocka_unit_test(client_that_was_cut_off_comes_back_to_its_place),
      cmocka_unit_test(head_that_comes_back_is_the_head_again),
      cmocka_unit_test(wait_that_timed_out_may_go_on_at_its_place),
      cmocka_unit_test(place_is_remembered_for_ten_seconds),
      cmocka_unit_test(remembered_place_holds_nobody_up),
      cmocka_unit_test(only_who_stood_in_the_line_has_a_place),
      cmocka_unit_test(get_does_not_use_the_place_up),
      cmocka_unit_test(place_ends_when_its_owner_has_the_lock),
      cmocka_unit_test(better_place_of_two_is_remembered),
      cmocka_unit_test(place_is_remembered_as_long_as_its_client_said),
      cmocka_unit_test(places_are_bounded),
      cmocka_unit_test(places_of_a_removed_pool_are_forgotten),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
