// SPDX-License-Identifier: MIT
// Who is let in at all, what trouble of the backend and the end of the server
// mean for those who wait, and what can be seen of them.
#include "support/test.h"
#include "support/trace.h"

using namespace distributex::test;

namespace {

void unknown_pool_is_refused(void**) {
  assert_true(holds(R"(
pools p:1:60
1 get q a
  1 invalid q a not_found: there is no pool "q" on this server
2 release q a/7
  2 invalid q a/7 not_found: there is no pool "q" on this server
3 renew q a
  3 invalid q a not_found: there is no pool "q" on this server
4 wait q a
  4 invalid q a not_found: there is no pool "q" on this server
idle
  yes
)"));
}

void host_must_be_listed_to_take(void**) {
  assert_true(holds(R"(
pools p:1:60:alpha,beta q:1:60
1 get p alpha
  #1 acquire p alpha length=60
2 wait p gamma
  2 invalid p gamma host_not_listed: host "gamma" is not among the servers of pool "p"
3 get p alph
  3 invalid p alph host_not_listed: host "alph" is not among the servers of pool "p"
4 renew p beta/alpha
  #2 renew p beta/alpha
5 release p gamma
  #3 release p gamma
6 get q gamma
  #4 acquire q gamma length=60
)"));
}

void waiters_are_bounded(void**) {
  assert_true(holds(R"(
pools max=2 p:1:60 q:1:60
1 wait p a
  #1 acquire p a length=60
2 wait p b
3 wait p c
4 wait p d
  4 unavailable p d: too many requests wait for this pool already
5 get q d
  #2 acquire q d length=60
6 release p a
  #3 release p a
7 renew p a
  #4 renew p a
#1 full
  #5 find p b length=60
#5 full
  #6 find p c length=60
#2 full
  5 busy q d
8 get p e
counts
  p=4 q=0
)"));
}

void line_is_bounded_and_its_holders_are_told_all_the_same(void**) {
  assert_true(holds(R"(
pools max=1 p:1:60
1 wait p a
  #1 acquire p a length=60
#1 full
2 get p b
  #2 find p b length=60
#2 full
  2 busy p b
3 wait p c
  #3 find p c length=60
#3 full
  3 unavailable p c: too many requests wait for this pool already
4 get p d
  #4 find p d length=60
#4 held token=1
  4 held p d token=1
changed p
  #5 acquire p a length=60
#5 full
waiting p
  a since=0
)"));
}

void answers_of_the_backend_reach_who_asked(void**) {
  assert_true(holds(R"(
pools p:1:60
1 release p a
  #1 release p a
2 release p b
  #2 release p b
3 renew p c
  #3 renew p c
4 renew p d
  #4 renew p d
5 renew p e
  #5 renew p e
#5 renewed token=4 ends=60
  5 renewed p e token=4 left=60
#4 lost
  4 lost p d
#3 failed no memcached at localhost
  3 unavailable p c: no memcached at localhost
#2 not_held
  2 not_held p b
#1 released
  1 released p a
)"));
}

void failure_answers_all_who_wait_for_the_pool(void**) {
  assert_true(holds(R"(
pools p:1:60 q:1:60
1 wait p a
  #1 acquire p a length=60
#1 full retry=60
2 wait p b
  #2 find p b length=60
3 get p c
4 release p d
  #3 release p d
5 wait q a
  #4 acquire q a length=60
#2 failed no memcached at localhost
  2 unavailable p b: no memcached at localhost
  1 unavailable p a: no memcached at localhost
  3 unavailable p c: no memcached at localhost
deadline
  none
counts
  p=0 q=1
6 get p a
  #5 acquire p a length=60
)"));
}

void drain_answers_all_who_wait(void**) {
  assert_true(holds(R"(
pools p:1:60 q:1:60
1 wait p a timeout=9
  #1 acquire p a length=60
#1 full
2 wait p b
  #2 find p b length=60
3 wait p c
4 wait q a
  #3 acquire q a length=60
5 renew q b
  #4 renew q b
drain
  2 unavailable p b: the server is shutting down
  1 unavailable p a: the server is shutting down
  3 unavailable p c: the server is shutting down
  4 unavailable q a: the server is shutting down
deadline
  none
idle
  no
#2 granted token=7
  #5 release p b token=7
#3 full
#4 renewed token=8 ends=60
  5 renewed q b token=8 left=60
#5 released
idle
  yes
)"));
}

void who_comes_after_drain_is_refused(void**) {
  assert_true(holds(R"(
pools p:1:60
drain
1 get p a
  1 unavailable p a: the server is shutting down
2 wait p a
  2 unavailable p a: the server is shutting down
3 release p a
  3 unavailable p a: the server is shutting down
4 renew p a
  4 unavailable p a: the server is shutting down
5 get q a
  5 unavailable q a: the server is shutting down
6 get p a
  6 unavailable p a: the server is shutting down
)"));
}

void server_is_idle_when_grants_have_arrived(void**) {
  assert_true(holds(R"(
pools p:1:60
1 get p a
  #1 acquire p a length=60
#1 granted token=7
  1 granted p a token=7
drain
idle
  no
1 gone
  #2 release p a token=7
idle
  no
#2 released
idle
  yes
)"));
}

void waiters_are_shown_in_their_order(void**) {
  assert_true(holds(R"(
pools p:1:60 q:2:30
at 1 1 wait p b
  #1 acquire p b length=60
#1 full
at 2 2 wait p c/2
  #2 find p c/2 length=60
#2 full
at 3 3 wait p d
  #3 find p d length=60
at 4 4 get p e
waiting p
  b since=1 c/2 since=2 d since=3 e since=4
waiting q
  nobody
waiting r
  nobody
counts
  p=4 q=0
#3 full
  #4 find p e length=60
changed p
#4 full
  4 busy p e
  #5 acquire p b length=60
waiting p
  b since=1 c/2 since=2 d since=3
)"));
}

}  // namespace

int main() {
  const CMUnitTest tests[] = {
      cmocka_unit_test(unknown_pool_is_refused),
      cmocka_unit_test(host_must_be_listed_to_take),
      cmocka_unit_test(waiters_are_bounded),
      cmocka_unit_test(line_is_bounded_and_its_holders_are_told_all_the_same),
      cmocka_unit_test(answers_of_the_backend_reach_who_asked),
      cmocka_unit_test(failure_answers_all_who_wait_for_the_pool),
      cmocka_unit_test(drain_answers_all_who_wait),
      cmocka_unit_test(who_comes_after_drain_is_refused),
      cmocka_unit_test(server_is_idle_when_grants_have_arrived),
      cmocka_unit_test(waiters_are_shown_in_their_order),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
