// SPDX-License-Identifier: MIT
#include "backends/memcache/highest.h"

#include <algorithm>
#include <utility>

namespace distributex {

// A noted pool moves to recent_. When recent_ is full it becomes older_, and the pools that
// were in older_ are dropped.
void HighestTokens::note(const std::string& pool, Token token) {
  const Token known = std::max(in(pool), token);
  recent_[pool] = known;
  older_.erase(pool);
  in_all_ = std::max(in_all_, known);
  if (recent_.size() >= most_) {
    older_ = std::exchange(recent_, {});
  }
}

Token HighestTokens::in(const std::string& pool) const {
  for (const auto* names : {&recent_, &older_}) {
    if (const auto it = names->find(pool); it != names->end()) {
      return it->second;
    }
  }
  return 0;
}

}  // namespace distributex
