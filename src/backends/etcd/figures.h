// SPDX-License-Identifier: MIT
// What the etcd backend counts for /metrics.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "lock/figure.h"
#include "lock/words.h"

namespace distributex {

// Questions to etcd since the start.
struct EtcdTraffic {
  static constexpr std::array<double, 10> bounds{0.001, 0.002, 0.005, 0.01, 0.02,
                                                 0.05,  0.1,   0.5,   1,    3};

  void took(Duration duration);

  uint64_t answered = 0;
  uint64_t not_done = 0;
  uint64_t unknown = 0;
  uint64_t logins = 0;
  uint64_t moves = 0;  // from one endpoint to the next
  double seconds = 0;  // of all that were answered
  std::array<uint64_t, bounds.size()> buckets{};
};

// Of the lock service on top of them.
struct EtcdCounts {
  uint64_t conflicts = 0;   // transactions whose compares failed
  uint64_t settled = 0;     // writes whose outcome was found out
  uint64_t skipped = 0;     // tickets of silent servers
  uint64_t ended_kept = 0;  // leases ended by their keeper
  uint64_t ended_seen = 0;  // and by another
  uint64_t watches = 0;     // opened
  uint64_t ticks = 0;       // of the clock
  // Questions to etcd for a slot, a release, a renewal, an operator; and all of them.
  std::array<uint64_t, 4> asked{};
  uint64_t transactions = 0;
};

// Appends all of them, and for how long the watch has owed a change of ours.
void add_etcd_figures(std::vector<Figure>& all, const EtcdTraffic& traffic,
                      const EtcdCounts& counts, Duration watch_behind);

}  // namespace distributex
