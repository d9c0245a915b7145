// SPDX-License-Identifier: MIT
// Pools that patterns make: by which row, how many, and when they go.
#include "support/test.h"
#include "support/trace.h"

using namespace distributex::test;

namespace {

void a_pattern_makes_a_pool_when_it_is_first_named(void**) {
  assert_true(holds(R"(
pools deploy/*:2:60
made
  none
1 get deploy/web a
  #1 acquire deploy/web a slots=2 length=60
made
  deploy/web
2 get other a
  2 invalid other a not_found: there is no pool "other" on this server
3 get deploy/* a
  3 invalid deploy/* a not_found: there is no pool "deploy/*" on this server
counts
  deploy/*=1
#1 granted token=5 ends=60
  1 granted deploy/web a token=5 left=60
4 release deploy/db a
  #2 release deploy/db a slots=2
)"));
}

void an_own_row_goes_before_patterns_and_these_in_order(void**) {
  assert_true(holds(R"(
pools d*:4:90 deploy/web:3:10 deploy/*:1:60
1 get deploy/web a
  #1 acquire deploy/web a slots=3 length=10
2 get deploy/db a
  #2 acquire deploy/db a slots=4 length=90
)"));
}

void so_many_pools_and_no_more(void**) {
  assert_true(holds(R"(
pools made=2 x*:1:60
1 get x1 a
  #1 acquire x1 a length=60
2 get x2 a
  #2 acquire x2 a length=60
3 get x3 a
  3 unavailable x3 a: there are too many pools of this pattern already (max_pools)
4 get x1 b
)"));
}

void an_unused_pool_is_forgotten_and_comes_again(void**) {
  assert_true(holds(R"(
pools x*:1:60
1 get x1 a
  #1 acquire x1 a length=60
unused
  none
forget x1
  no
#1 granted token=5 ends=60
  1 granted x1 a token=5 left=60
unused
  none
1 arrived
unused
  x1
2 release x1 a
  #2 release x1 a
forget x1
  no
#2 released token=5
  2 released x1 a
unused
  x1
forget x1
  yes
made
  none
3 get x1 b
  #3 acquire x1 b length=60
)"));
}

void a_reload_changes_and_removes_what_patterns_have_made(void**) {
  assert_true(holds(R"(
pools x*:1:60 y*:1:60
1 wait x1 a
  #1 acquire x1 a length=60
#1 full
2 wait y1 a
  #2 acquire y1 a length=60
#2 full
pools x*:3:30
  #3 acquire x1 a slots=3 length=30
  2 invalid y1 a not_found: pool "y1" was removed from this server
made
  x1
#3 granted token=5 ends=30
  1 granted x1 a token=5 left=30
pools x1:2:20
made
  none
3 get x1 b
  #4 acquire x1 b slots=2 length=20
)"));
}

void a_server_that_ends_answers_waiters_of_patterns(void**) {
  assert_true(holds(R"(
pools x*:1:60
1 wait x1 a
  #1 acquire x1 a length=60
#1 full
drain
  1 unavailable x1 a: the server is shutting down
2 get x2 a
  2 unavailable x2 a: the server is shutting down
)"));
}

}  // namespace

int main() {
  const CMUnitTest tests[] = {
      cmocka_unit_test(a_pattern_makes_a_pool_when_it_is_first_named),
      cmocka_unit_test(an_own_row_goes_before_patterns_and_these_in_order),
      cmocka_unit_test(so_many_pools_and_no_more),
      cmocka_unit_test(an_unused_pool_is_forgotten_and_comes_again),
      cmocka_unit_test(a_reload_changes_and_removes_what_patterns_have_made),
      cmocka_unit_test(a_server_that_ends_answers_waiters_of_patterns),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
