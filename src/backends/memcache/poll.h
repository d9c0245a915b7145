// SPDX-License-Identifier: MIT
// When a full pool is asked again: other servers may give its locks back, and
// memcached tells nobody. Starts at the configured pause, grows while the pool
// looks the same, with jitter so that servers do not ask in step. Pure.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "backends/memcache/item.h"

namespace distributex {

class MemcachePoll {
 public:
  explicit MemcachePoll(Duration shortest = std::chrono::milliseconds(100), uint64_t seed = 1);

  // Something happened in the pool.
  void reset() { pause_ = shortest_; }
  // The pool was read and is full of these: how long to leave it alone.
  [[nodiscard]] Duration next(const std::vector<SlotLease>& seen);

 private:
  Duration shortest_;
  Duration pause_;
  size_t looks_ = 0;  // a digest of what was seen last
  uint64_t random_;
};

}  // namespace distributex
