// SPDX-License-Identifier: MIT
// The configured pools by name: a pool's own row goes first, then the patterns in
// the order of the configuration. Pure.
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
  // The row that speaks for a pool of that name, perhaps a pattern's; nullptr: none.
  [[nodiscard]] const PoolSpec* find(std::string_view name) const;
  [[nodiscard]] const std::vector<PoolSpec>& pools() const { return pools_; }

 private:
  std::vector<PoolSpec> pools_;
  std::unordered_map<std::string_view, const PoolSpec*> names_;
  std::vector<const PoolSpec*> patterns_;
};

}  // namespace distributex
