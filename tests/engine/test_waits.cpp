// SPDX-License-Identifier: MIT
// How a wait ends without a lock: refused, out of time, or because its client
// has gone, in each place where a request can be.
#include "support/test.h"
#include "support/trace.h"

using namespace distributex::test;

namespace {

void get_is_busy_when_the_pool_is_full(void**) {
  assert_true(holds(R"(
pools p:1:60
1 get p b
  #1 acquire p b length=60
#1 full retry=60
  1 busy p b
deadline
  none
waiting p
  nobody
)"));
}

void wait_ends_after_its_timeout(void**) {
  assert_true(holds(R"(
pools p:1:60
1 wait p b timeout=2.5
  #1 acquire p b length=60
2 wait p c timeout=0.5
#1 full retry=60
  #2 find p c length=60
#2 full retry=60
deadline
  0.5
at 0.499 tick
at 0.5 tick
  2 timeout p c after=0.5
deadline
  2.5
at 2.5 tick
  1 timeout p b after=2.5
deadline
  none
idle
  yes
)"));
}

void timeout_of_zero_is_a_get(void**) {
  assert_true(holds(R"(
pools p:1:60
1 wait p b timeout=0
  #1 acquire p b length=60
deadline
  none
#1 full retry=60
  1 timeout p b
2 wait p b timeout=0
  #2 acquire p b length=60
#2 granted token=1
  2 granted p b token=1
)"));
}

void timeout_in_flight_waits_for_the_verdict(void**) {
  assert_true(holds(R"(
pools p:1:60
1 wait p b timeout=1
  #1 acquire p b length=60
2 wait p c timeout=1
deadline
  1
at 1 tick
  2 timeout p c after=1
deadline
  none
at 1.2 #1 full retry=60
  1 timeout p b after=1.2
3 wait p d timeout=1
  #2 acquire p d length=60
at 2.3 tick
#2 granted token=1
  3 granted p d token=1 after=1.1
)"));
}

void timeout_beats_a_verdict_of_the_same_moment(void**) {
  assert_true(holds(R"(
pools p:1:60
1 wait p b timeout=1
  #1 acquire p b length=60
2 wait p c timeout=1
at 1 #1 full retry=60
  1 timeout p b after=1
  #2 acquire p c length=60
#2 full retry=60
  2 timeout p c after=1
)"));
}

void timeout_in_line_beats_a_retry_of_the_same_moment(void**) {
  assert_true(holds(R"(
pools p:1:60
1 wait p b timeout=1
  #1 acquire p b length=60
2 wait p c
#1 full retry=1
  #2 find p c length=60
#2 full retry=1
at 1 tick
  1 timeout p b after=1
  #3 acquire p c length=60
)"));
}

void wait_without_or_with_a_boundless_timeout_waits_for_ever(void**) {
  assert_true(holds(R"(
pools p:1:60
1 wait p b
  #1 acquire p b length=60
2 wait p c timeout=max
#1 full
  #2 find p c length=60
#2 full
deadline
  none
)"));
}

void gone_before_it_was_asked(void**) {
  assert_true(holds(R"(
pools p:1:60
1 wait p a
  #1 acquire p a length=60
2 wait p b
2 gone
#1 full
waiting p
  a since=0
)"));
}

void gone_from_the_line(void**) {
  assert_true(holds(R"(
pools p:1:60
1 wait p a timeout=9
  #1 acquire p a length=60
2 wait p b
#1 full retry=5
  #2 find p b length=60
#2 full retry=5
1 gone
deadline
  5
waiting p
  b since=0
2 gone
deadline
  none
idle
  yes
at 5 tick
)"));
}

void gone_while_it_is_asked(void**) {
  assert_true(holds(R"(
pools p:1:60
1 wait p a timeout=9
  #1 acquire p a length=60
2 wait p b
1 gone
waiting p
  b since=0
deadline
  none
#1 full retry=60
  #2 acquire p b length=60
#2 full retry=60
waiting p
  b since=0
)"));
}

void gone_while_it_is_asked_and_granted_is_given_back(void**) {
  assert_true(holds(R"(
pools p:1:60
1 wait p a
  #1 acquire p a length=60
2 wait p b
1 gone
#1 granted token=3 ends=60 retry=60
  #2 release p a token=3
  #3 acquire p b length=60
#2 released
#3 granted token=4
  2 granted p b token=4
)"));
}

void gone_while_it_is_asked_and_held_keeps_the_lease(void**) {
  assert_true(holds(R"(
pools p:1:60
1 wait p a
  #1 acquire p a length=60
1 gone
#1 held token=3 ends=60
idle
  yes
)"));
}

void gone_while_its_release_or_renewal_runs(void**) {
  assert_true(holds(R"(
pools p:1:60
1 release p a
  #1 release p a
2 renew p a
  #2 renew p a
1 gone
2 gone
idle
  no
#1 released
#2 renewed token=1
idle
  yes
)"));
}

void gone_again_and_gone_of_strangers_means_nothing(void**) {
  assert_true(holds(R"(
pools p:1:60
1 get p a
  #1 acquire p a length=60
#1 full
  1 busy p a
1 gone
1 arrived
99 gone
2 get p a
  #2 acquire p a length=60
2 gone
2 gone
#2 full
)"));
}

}  // namespace

int main() {
  const CMUnitTest tests[] = {
      cmocka_unit_test(get_is_busy_when_the_pool_is_full),
      cmocka_unit_test(wait_ends_after_its_timeout),
      cmocka_unit_test(timeout_of_zero_is_a_get),
      cmocka_unit_test(timeout_in_flight_waits_for_the_verdict),
      cmocka_unit_test(timeout_beats_a_verdict_of_the_same_moment),
      cmocka_unit_test(timeout_in_line_beats_a_retry_of_the_same_moment),
      cmocka_unit_test(wait_without_or_with_a_boundless_timeout_waits_for_ever),
      cmocka_unit_test(gone_before_it_was_asked),
      cmocka_unit_test(gone_from_the_line),
      cmocka_unit_test(gone_while_it_is_asked),
      cmocka_unit_test(gone_while_it_is_asked_and_granted_is_given_back),
      cmocka_unit_test(gone_while_it_is_asked_and_held_keeps_the_lease),
      cmocka_unit_test(gone_while_its_release_or_renewal_runs),
      cmocka_unit_test(gone_again_and_gone_of_strangers_means_nothing),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
