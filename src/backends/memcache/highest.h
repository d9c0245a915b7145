// SPDX-License-Identifier: MIT
// The highest token that was seen in each pool, for the day on which memcached loses
// its counters. Names come and go by the million: those that were used last are
// remembered one by one, at most twice `most` of them; of the others only the
// highest of all.
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
  // 0: none was seen, or long ago.
  [[nodiscard]] Token in(const std::string& pool) const;
  // Not lower than any that was seen.
  [[nodiscard]] Token in_all() const { return in_all_; }
  [[nodiscard]] size_t size() const { return recent_.size() + older_.size(); }

 private:
  size_t most_;
  NameMap<Token> recent_;
  NameMap<Token> older_;
  Token in_all_ = 0;
};

}  // namespace distributex
