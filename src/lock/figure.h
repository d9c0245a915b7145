// SPDX-License-Identifier: MIT
// One metric that a part of the service has about itself, for /metrics.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace distributex {

struct Figure {
  enum class Kind { counter, gauge, histogram };
  Kind kind = Kind::gauge;
  const char* name = "";  // without the prefix "distributex_"
  const char* help = "";
  std::pair<std::string, std::string> label{};  // its name and value; empty: none
  double value = 0;                             // of a histogram: the sum of all values
  // Of a histogram: the upper bounds, rising, each with the number of values that were not
  // greater; and the number of all values.
  std::vector<std::pair<double, uint64_t>> buckets{};
  uint64_t count = 0;
};

}  // namespace distributex
