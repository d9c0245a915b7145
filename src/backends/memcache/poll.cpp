// SPDX-License-Identifier: MIT
// The pause between two looks at a full pool.
#include "backends/memcache/poll.h"

#include <algorithm>
#include <functional>

namespace distributex {

namespace {
constexpr Duration longest = std::chrono::seconds(1);
}

MemcachePoll::MemcachePoll(Duration shortest, uint64_t seed)
    : shortest_(shortest), pause_(shortest), random_(seed | 1) {}

Duration MemcachePoll::next(const std::vector<SlotLease>& seen) {
  size_t looks = 0;  // a digest that does not depend on the order
  for (const SlotLease& lease : seen) {
    looks ^= std::hash<std::string>{}(lease.nonce);
  }
  if (looks != looks_) {
    reset();
  }
  looks_ = looks;
  random_ ^= random_ << 13;
  random_ ^= random_ >> 7;
  random_ ^= random_ << 17;
  // Between three and five quarters of the pause.
  const Duration jittered = pause_ * (768 + static_cast<Duration::rep>(random_ % 513)) / 1024;
  pause_ = std::min(pause_ * 3 / 2, std::max(longest, shortest_));
  return std::min(jittered, std::max(longest, shortest_));
}

}  // namespace distributex
