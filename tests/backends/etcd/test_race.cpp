// SPDX-License-Identifier: MIT
// Races of several servers by seeds. The history of what owners were told must be
// sound, and in the end nothing may be left in etcd.
#include "support/etcdrace.h"
#include "support/test.h"

namespace distributex::test {
namespace {

void race(const EtcdRace& setting, uint64_t seeds) {
  size_t grants = 0;
  size_t freezes = 0;
  for (uint64_t seed = 1; seed <= seeds; seed++) {
    const EtcdRaceEnd end = run_etcd_race(setting, seed);
    if (!end.wrong.empty()) {
      print_error("seed %llu\n", static_cast<unsigned long long>(seed));
    }
    assert_text(end.wrong, "");
    grants += end.grants;
    freezes += end.freezes;
  }
  assert_that(freezes >= (setting.orders ? seeds : 0), "only %zu freezes", freezes);
  assert_that(grants > (setting.orders ? 3 : 10) * seeds, "only %zu grants", grants);
}

void a_mutex_has_one_holder_and_rising_tokens(void**) { race({}, 30); }
void a_mutex_withstands_lost_late_and_double_requests(void**) { race({.fault_percent = 15}, 40); }
void a_mutex_withstands_servers_that_stand_still_or_die(void**) {
  race({.fault_percent = 8, .deaths = true}, 40);
}
void a_semaphore_has_no_more_holders_than_slots(void**) {
  race({.servers = 4, .slots = 3, .owners = 8, .fault_percent = 10, .deaths = true}, 40);
}
void two_owners_on_all_servers_have_one_slot_each(void**) {
  race({.servers = 4, .slots = 3, .owners = 2, .fault_percent = 15}, 30);
}
void no_grant_is_told_after_the_answer_to_a_freeze(void**) {
  race({.servers = 3, .slots = 2, .owners = 6, .orders = true}, 40);
  race({.servers = 3, .slots = 2, .owners = 6, .fault_percent = 15, .orders = true}, 40);
}
void freezes_and_rests_withstand_servers_that_stand_still_or_die(void**) {
  race({.servers = 3, .slots = 2, .owners = 6, .fault_percent = 8, .deaths = true, .orders = true},
       40);
}
void tokens_rise_over_a_wiped_etcd(void**) {
  race({.fault_percent = 5, .deaths = true, .wipes = true}, 40);
}

}  // namespace
}  // namespace distributex::test

int main() {
  using namespace distributex::test;
  const CMUnitTest tests[] = {
      cmocka_unit_test(a_mutex_has_one_holder_and_rising_tokens),
      cmocka_unit_test(a_mutex_withstands_lost_late_and_double_requests),
      cmocka_unit_test(a_mutex_withstands_servers_that_stand_still_or_die),
      cmocka_unit_test(a_semaphore_has_no_more_holders_than_slots),
      cmocka_unit_test(two_owners_on_all_servers_have_one_slot_each),
      cmocka_unit_test(no_grant_is_told_after_the_answer_to_a_freeze),
      cmocka_unit_test(freezes_and_rests_withstand_servers_that_stand_still_or_die),
      cmocka_unit_test(tokens_rise_over_a_wiped_etcd),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
