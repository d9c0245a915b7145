// SPDX-License-Identifier: MIT
// Runs tests that mostly wait at the same time, each in a process of its own, with its own
// fixture. Shows the output of each test as a whole, in the order of the table, so that the
// report reads as if one had run after the other.
#pragma once

#include <span>

#include "support/test.h"

namespace distributex::test {

// The number of tests that failed, as cmocka_run_group_tests returns it. At most
// `beside` of them run at a time; none may depend on another.
[[nodiscard]] int run_beside(std::span<const CMUnitTest> tests, unsigned beside = 16);

}  // namespace distributex::test
