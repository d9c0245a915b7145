// SPDX-License-Identifier: MIT
// The engine on a backend that is slow, fails and has strangers in it, by
// random events under the eyes of a witness. An argument is the one seed to run.
#include <stdlib.h>

#include <memory>

#include "support/slow_world.h"
#include "support/test.h"

using namespace distributex::test;

namespace {

uint64_t first_seed = 1;
uint64_t last_seed = 100;
constexpr int steps = 4000;

bool goes_well(uint64_t seed) {
  const auto wrong = std::make_unique<SlowWorld>(Choices(seed))->run(steps);
  if (wrong) {
    print_error("seed %lu: %s\n", static_cast<unsigned long>(seed), wrong->c_str());
  }
  return !wrong;
}

void nobody_is_passed_over_doubled_or_forgotten(void**) {
  for (uint64_t seed = first_seed; seed <= last_seed; ++seed) {
    assert_true(goes_well(seed));
  }
}

}  // namespace

int main(int argc, char** argv) {
  if (argc > 1) {
    first_seed = last_seed = strtoull(argv[1], nullptr, 10);
  }
  const CMUnitTest tests[] = {
      cmocka_unit_test(nobody_is_passed_over_doubled_or_forgotten),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
