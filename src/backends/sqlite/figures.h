// SPDX-License-Identifier: MIT
// What the sqlite backend counts for /metrics.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <vector>

#include "backends/sqlite/contents.h"
#include "backends/sqlite/trouble.h"
#include "lock/figure.h"
#include "lock/words.h"

namespace distributex {

class StoreFigures {
 public:
  void committed(Duration took, size_t changes);
  void refused(StoreTrouble::Kind kind) { ++failures_[static_cast<size_t>(kind)]; }
  void sized(const StoreSizes& sizes) { sizes_ = sizes; }
  // oldest_change: for how long the oldest change that is not stored has waited.
  void add_to(std::vector<Figure>& all, Duration oldest_change) const;

 private:
  static constexpr std::array<double, 11> seconds_bounds{
      0.0001, 0.0002, 0.0005, 0.001, 0.002, 0.005, 0.02, 0.1, 0.5, 1, 5};
  static constexpr std::array<double, 7> change_bounds{1, 2, 5, 10, 50, 200, 1000};

  std::array<uint64_t, seconds_bounds.size()> seconds_{};  // commits at or below each bound
  std::array<uint64_t, change_bounds.size()> changes_{};
  double all_seconds_ = 0;
  uint64_t all_changes_ = 0;
  uint64_t commits_ = 0;
  std::array<uint64_t, store_trouble_kinds> failures_{};
  StoreSizes sizes_;
};

}  // namespace distributex
