// SPDX-License-Identifier: MIT
// When this server looks at a full pool again: other servers may give its locks back, and
// memcached tells nobody. The pause starts as configured and grows while the pool looks the
// same; jitter keeps servers from asking in step. Pure.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "backends/memcache/item.h"

namespace distributex {

class MemcachePoll {
 public:
  explicit MemcachePoll(Duration shortest = std::chrono::milliseconds(100), uint64_t seed = 1);

  // Call it when something happened in the pool.
  void reset() { pause_ = shortest_; }
  // Returns the pause before the next look; `seen` is what the last look found.
  [[nodiscard]] Duration next(const std::vector<SlotLease>& seen);

 private:
  Duration shortest_;
  Duration pause_;
  size_t looks_ = 0;  // a digest of what was seen last
  uint64_t random_;
};

}  // namespace distributex
