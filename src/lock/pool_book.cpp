// SPDX-License-Identifier: MIT
// names_ has views of the names in pools_, whose elements stay in place until the next
// configure().
#include "lock/pool_book.h"

#include <utility>

#include "base/pattern.h"

namespace distributex {

void PoolBook::configure(std::vector<PoolSpec> pools) {
  names_.clear();
  patterns_.clear();
  pools_ = std::move(pools);
  for (const PoolSpec& pool : pools_) {
    if (is_pattern(pool.name)) {
      patterns_.push_back(&pool);
    } else {
      names_.emplace(pool.name, &pool);
    }
  }
}

const PoolSpec* PoolBook::find(std::string_view name) const {
  const auto own = names_.find(name);
  if (own != names_.end()) {
    return own->second;
  }
  for (const PoolSpec* pattern : patterns_) {
    if (matches(pattern->name, name)) {
      return pattern;
    }
  }
  return nullptr;
}

}  // namespace distributex
