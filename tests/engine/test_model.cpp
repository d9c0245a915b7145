// SPDX-License-Identifier: MIT
// The engine on the in-memory backend against the oracle, by thousands of
// random events. An argument is the one seed to run.
#include <stdlib.h>

#include <memory>

#include "support/model_world.h"
#include "support/test.h"

using namespace distributex::test;

namespace {

uint64_t first_seed = 1;
uint64_t last_seed = 60;
constexpr int steps = 3000;

bool agrees(uint64_t seed) {
  const auto wrong = std::make_unique<ModelWorld>(Choices(seed))->run(steps);
  if (wrong) {
    print_error("seed %lu: %s\n", static_cast<unsigned long>(seed), wrong->c_str());
  }
  return !wrong;
}

void answers_leases_and_lines_are_those_of_the_oracle(void**) {
  for (uint64_t seed = first_seed; seed <= last_seed; ++seed) {
    assert_true(agrees(seed));
  }
}

}  // namespace

int main(int argc, char** argv) {
  if (argc > 1) {
    first_seed = last_seed = strtoull(argv[1], nullptr, 10);
  }
  const CMUnitTest tests[] = {
      cmocka_unit_test(answers_leases_and_lines_are_those_of_the_oracle),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
