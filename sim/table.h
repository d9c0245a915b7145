// SPDX-License-Identifier: MIT
// Outcomes side by side, a column each, as text.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "sim/costs.h"

namespace distributex::sim {

struct Column {
  std::string letter;  // the legend explains it
  uint32_t slots = 0;  // of each pool
  Course outcome;
};

[[nodiscard]] std::string table_of(const std::vector<Column>& columns, const Costs& costs,
                                   const Machine& machine);

}  // namespace distributex::sim
