// SPDX-License-Identifier: MIT
// What operators ask of the engine: who may, about which pools, and what their
// answers do to those who wait.
#include "support/test.h"
#include "support/trace.h"

using namespace distributex::test;

namespace {

void only_peers_of_this_machine_give_orders(void**) {
  assert_true(holds(R"(
pools p:1:60
1 freeze p reason=no from=10.1.2.3
  1 invalid p not_allowed: freeze is for peers on loopback and unix sockets only
2 thaw p from=128.0.0.1
  2 invalid p not_allowed: thaw is for peers on loopback and unix sockets only
3 evict p token=7 reason=no from=192.0.2.1
  3 invalid p not_allowed: evict is for peers on loopback and unix sockets only
4 freeze p reason=no from=127.9.9.9
  #1 freeze p reason=no
5 freeze p reason=no from=unix
  #2 freeze p reason=no
idle
  no
)"));
}

void an_order_is_answered_by_its_verdict(void**) {
  assert_true(holds(R"(
pools p:3:60
1 freeze p reason=bad by=ann for=90
  #1 freeze p slots=3 reason=bad by=ann for=90
#1 done
  1 frozen p
2 thaw p by=ann
  #2 thaw p slots=3 by=ann
#2 done
  2 thawed p
3 thaw p
  #3 thaw p slots=3
#3 not_held
  3 not_frozen p
4 evict p token=9 reason=dead
  #4 evict p slots=3 token=9 reason=dead
#4 done owner=web7
  4 evicted p web7
5 evict p token=9 reason=dead
  #5 evict p slots=3 token=9 reason=dead
#5 not_held
  5 no_lease p
6 freeze p reason=bad
  #6 freeze p slots=3 reason=bad
#6 failed the disk is full
  6 unavailable p: the disk is full
idle
  yes
)"));
}

void a_pattern_may_be_frozen_that_no_pool_matches_yet(void**) {
  assert_true(holds(R"(
pools p:1:60
1 freeze deploy/* reason=bad
  #1 freeze deploy/* reason=bad
2 freeze q reason=bad
  2 invalid q not_found: there is no pool "q" on this server
3 thaw q
  #2 thaw q
4 evict q token=1 reason=bad
  4 invalid q not_found: there is no pool "q" on this server
)"));
}

void an_eviction_gives_the_lock_to_the_head_of_the_line(void**) {
  assert_true(holds(R"(
pools p:1:60
1 wait p a
  #1 acquire p a length=60
#1 full
2 wait p b
  #2 find p b length=60
#2 full
3 evict p token=5 reason=dead
  #3 evict p token=5 reason=dead
#3 done owner=z
  #4 acquire p a length=60
  3 evicted p z
#4 granted token=6 ends=60
  1 granted p a token=6 left=60
)"));
}

void waiters_keep_their_places_over_a_freeze(void**) {
  assert_true(holds(R"(
pools p:1:60
1 wait p a
  #1 acquire p a length=60
#1 full
2 wait p b
  #2 find p b length=60
#2 full
3 freeze p reason=bad
  #3 freeze p reason=bad
#3 done
  3 frozen p
4 wait p c
  #4 find p c length=60
#4 full
5 get p d
  #5 find p d length=60
#5 full
  5 busy p d
waiting p
  a since=0 b since=0 c since=0
deadline
  none
changed p
  #6 acquire p a length=60
#6 granted token=6 ends=60 retry=60
  1 granted p a token=6 left=60
)"));
}

// The backend decided the grant before the freeze, so the engine answers the grant first.
void a_grant_that_was_asked_for_before_a_freeze_is_answered_before_it(void**) {
  assert_true(holds(R"(
pools p:1:60
1 wait p a
  #1 acquire p a length=60
2 freeze p reason=bad
  #2 freeze p reason=bad
#1 granted token=5 ends=60
  1 granted p a token=5 left=60
#2 done
  2 frozen p
)"));
}

void an_order_whose_client_has_gone_is_carried_out_and_not_answered(void**) {
  assert_true(holds(R"(
pools p:1:60
1 freeze p reason=bad
  #1 freeze p reason=bad
1 gone
#1 done
idle
  yes
)"));
}

void a_server_that_ends_takes_no_orders(void**) {
  assert_true(holds(R"(
pools p:1:60
drain
1 freeze p reason=bad
  1 unavailable p: the server is shutting down
)"));
}

}  // namespace

int main() {
  const CMUnitTest tests[] = {
      cmocka_unit_test(only_peers_of_this_machine_give_orders),
      cmocka_unit_test(an_order_is_answered_by_its_verdict),
      cmocka_unit_test(a_pattern_may_be_frozen_that_no_pool_matches_yet),
      cmocka_unit_test(an_eviction_gives_the_lock_to_the_head_of_the_line),
      cmocka_unit_test(waiters_keep_their_places_over_a_freeze),
      cmocka_unit_test(a_grant_that_was_asked_for_before_a_freeze_is_answered_before_it),
      cmocka_unit_test(an_order_whose_client_has_gone_is_carried_out_and_not_answered),
      cmocka_unit_test(a_server_that_ends_takes_no_orders),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
