// SPDX-License-Identifier: MIT
// The highest token that was seen in each pool, for the case that memcached loses its
// counters. There may be millions of pool names: this remembers the pools that were used
// last, at most twice `most` of them, and for all others the highest token of all.
#pragma once

#include <cstddef>
#include <string>

#include "base/name_map.h"
#include "lock/lease.h"

namespace distributex {

class HighestTokens {
 public:
  explicit HighestTokens(size_t most = 16384) : most_(most) {}
  void note(const std::string& pool, Token token);
  // 0: no token of the pool was seen, or it was forgotten.
  [[nodiscard]] Token in(const std::string& pool) const;
  // The highest token that was ever seen in any pool.
  [[nodiscard]] Token in_all() const { return in_all_; }
  [[nodiscard]] size_t size() const { return recent_.size() + older_.size(); }

 private:
  size_t most_;
  NameMap<Token> recent_;
  NameMap<Token> older_;
  Token in_all_ = 0;
};

}  // namespace distributex
