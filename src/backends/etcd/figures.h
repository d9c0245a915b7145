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

// What the lock service does with these questions.
struct EtcdCounts {
  uint64_t conflicts = 0;   // transactions whose compares failed
  uint64_t settled = 0;     // writes whose outcome was found out
  uint64_t skipped = 0;     // tickets of silent servers that grants deleted
  uint64_t ended_kept = 0;  // leases ended that this server wrote last
  uint64_t ended_seen = 0;  // leases ended that another server wrote last
  uint64_t watches = 0;     // watches opened
  uint64_t ticks = 0;       // steps of the shared clock
  // Transactions for an acquire, a release, a renewal and an operator's order.
  std::array<uint64_t, 4> asked{};
  // All transactions, those for upkeep included.
  uint64_t transactions = 0;
};

// Appends all of them. watch_behind: for how long the watch has lacked a change that an
// answer told.
void add_etcd_figures(std::vector<Figure>& all, const EtcdTraffic& traffic,
                      const EtcdCounts& counts, Duration watch_behind);

}  // namespace distributex
