// SPDX-License-Identifier: MIT
// Finds the configured row of a pool by its name: first a row with that very name, then the
// patterns in the order of the configuration. Pure.
#pragma once

#include <string_view>
#include <unordered_map>
#include <vector>

#include "lock/lease.h"

namespace distributex {

class PoolBook {
 public:
  PoolBook() = default;
  PoolBook(const PoolBook&) = delete;
  PoolBook& operator=(const PoolBook&) = delete;

  void configure(std::vector<PoolSpec> pools);
  // The row for a pool of that name, which may be a pattern; nullptr: there is none.
  [[nodiscard]] const PoolSpec* find(std::string_view name) const;
  [[nodiscard]] const std::vector<PoolSpec>& pools() const { return pools_; }

 private:
  std::vector<PoolSpec> pools_;
  std::unordered_map<std::string_view, const PoolSpec*> names_;
  std::vector<const PoolSpec*> patterns_;
};

}  // namespace distributex
