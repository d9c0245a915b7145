// SPDX-License-Identifier: MIT
// The pools change under those who wait: new, changed, removed and returning
// ones.
#include "support/test.h"
#include "support/trace.h"

using namespace distributex::test;

namespace {

void new_pool_is_open_at_once(void**) {
  assert_true(holds(R"(
pools p:1:60
1 get q a
  1 invalid q a not_found: there is no pool "q" on this server
pools p:1:60 q:1:60
2 get q a
  #1 acquire q a length=60
counts
  p=0 q=1
)"));
}

void changed_pool_keeps_its_waiters_and_asks_anew(void**) {
  assert_true(holds(R"(
pools p:1:60 q:1:60
1 wait p a
  #1 acquire p a length=60
2 wait p b
3 wait q c
  #2 acquire q c length=60
#1 full
  #3 find p b length=60
#3 full
#2 full
pools q:1:60 p:2:30
  #4 acquire q c length=60
  #5 acquire p a slots=2 length=30
waiting p
  a since=0 b since=0
counts
  q=1 p=2
#4 full
#5 granted token=1 ends=30 retry=0
  1 granted p a token=1 left=30
  #6 acquire p b slots=2 length=30
)"));
}

void pool_that_changes_while_it_is_asked_is_asked_again(void**) {
  assert_true(holds(R"(
pools p:1:60
1 wait p a
  #1 acquire p a length=60
pools p:2:60
#1 full retry=60
  #2 acquire p a slots=2 length=60
)"));
}

void pool_that_changes_keeps_waiters_whose_host_is_not_listed_any_more(void**) {
  assert_true(holds(R"(
pools p:1:60
1 wait p a
  #1 acquire p a length=60
#1 full
pools p:1:60:b
  #2 acquire p a length=60
#2 granted token=1
  1 granted p a token=1
2 wait p a
  2 invalid p a host_not_listed: host "a" is not among the servers of pool "p"
)"));
}

void host_that_was_taken_off_the_list_gives_back_and_renews_what_it_holds(void**) {
  assert_true(holds(R"(
pools p:1:0:a
1 get p a
  #1 acquire p a
#1 granted token=1
  1 granted p a token=1
1 arrived
pools p:1:0:b
2 get p a
  2 invalid p a host_not_listed: host "a" is not among the servers of pool "p"
3 renew p a token=1
  #2 renew p a token=1
#2 renewed token=1
  3 renewed p a token=1
4 release p a token=1
  #3 release p a token=1
#3 released
  4 released p a
5 get p b
  #4 acquire p b
)"));
}

void waiters_of_a_removed_pool_hear_that(void**) {
  assert_true(holds(R"(
pools p:1:60 q:1:60
1 wait p a timeout=5
  #1 acquire p a length=60
#1 full retry=60
2 wait p b
  #2 find p b length=60
3 wait p c
4 release p d
  #3 release p d
5 wait q a
  #4 acquire q a length=60
pools q:1:60
  2 invalid p b not_found: pool "p" was removed from this server
  1 invalid p a not_found: pool "p" was removed from this server
  3 invalid p c not_found: pool "p" was removed from this server
deadline
  none
counts
  q=1
waiting p
  nobody
6 get p a
  6 invalid p a not_found: there is no pool "p" on this server
#2 granted token=7
  #5 release p b token=7
#3 released
  4 released p d
#5 released
#4 full
  #6 acquire q a length=60
)"));
}

void grant_on_its_way_in_a_removed_pool_is_given_back(void**) {
  assert_true(holds(R"(
pools p:1:60
1 get p a
  #1 acquire p a length=60
#1 granted token=7
  1 granted p a token=7
pools q:1:60
1 gone
  #2 release p a token=7
idle
  no
changed p
#2 released
idle
  yes
changed p
)"));
}

void pool_that_comes_back_while_it_is_asked_asks_one_at_a_time(void**) {
  assert_true(holds(R"(
pools p:1:60
1 wait p a
  #1 acquire p a length=60
pools q:1:60
  1 invalid p a not_found: pool "p" was removed from this server
pools p:1:60
2 wait p b
#1 granted token=7
  #2 release p a token=7
  #3 acquire p b length=60
#2 released
#3 granted token=8
  2 granted p b token=8
)"));
}

void pool_that_comes_back_knows_the_grants_on_their_way(void**) {
  assert_true(holds(R"(
pools p:1:60
1 get p a
  #1 acquire p a length=60
#1 granted token=7
  1 granted p a token=7
pools q:1:60
pools p:1:60
2 get p a
  #2 acquire p a length=60
#2 held token=7
  2 held p a token=7
1 gone
2 arrived
idle
  yes
)"));
}

void change_of_a_pool_without_waiters_asks_nothing(void**) {
  assert_true(holds(R"(
pools p:1:60
changed p
changed q
tick
1 get p a
  #1 acquire p a length=60
#1 full
  1 busy p a
changed p
deadline
  none
)"));
}

}  // namespace

int main() {
  const CMUnitTest tests[] = {
      cmocka_unit_test(new_pool_is_open_at_once),
      cmocka_unit_test(changed_pool_keeps_its_waiters_and_asks_anew),
      cmocka_unit_test(pool_that_changes_while_it_is_asked_is_asked_again),
      cmocka_unit_test(pool_that_changes_keeps_waiters_whose_host_is_not_listed_any_more),
      cmocka_unit_test(host_that_was_taken_off_the_list_gives_back_and_renews_what_it_holds),
      cmocka_unit_test(waiters_of_a_removed_pool_hear_that),
      cmocka_unit_test(grant_on_its_way_in_a_removed_pool_is_given_back),
      cmocka_unit_test(pool_that_comes_back_while_it_is_asked_asks_one_at_a_time),
      cmocka_unit_test(pool_that_comes_back_knows_the_grants_on_their_way),
      cmocka_unit_test(change_of_a_pool_without_waiters_asks_nothing),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
