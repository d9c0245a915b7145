// SPDX-License-Identifier: MIT
// One number that a part of the service counts about itself, for /metrics.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace distributex {

struct Figure {
  enum class Kind { counter, gauge, histogram };
  Kind kind = Kind::gauge;
  const char* name = "";  // behind "distributex_"
  const char* help = "";
  std::pair<std::string, std::string> label{};  // its name and value; empty: none
  double value = 0;                             // of a histogram: the sum of all
  // Of a histogram: upper bounds, rising, and how many were no greater than each;
  // and how many there were at all.
  std::vector<std::pair<double, uint64_t>> buckets{};
  uint64_t count = 0;
};

}  // namespace distributex
