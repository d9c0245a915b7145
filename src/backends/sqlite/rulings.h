// SPDX-License-Identifier: MIT
// Freezes, rests and counts of failed runs as the sqlite backend keeps them: in memory, and
// in the books for the disk. Each verdict and happening names the batch that stores it.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "backends/backend.h"
#include "backends/lease_table.h"
#include "backends/rulings.h"
#include "backends/sqlite/books.h"
#include "lock/pool_book.h"

namespace distributex {

class StoreRulings {
 public:
  // Calls hand_over when the books have a change for the disk.
  StoreRulings(LeaseTable& table, StoreBooks& books, const BackendSink& sink,
               std::function<void()> hand_over)
      : table_(table), books_(books), sink_(sink), hand_over_(std::move(hand_over)) {}

  // Takes a ruling that was read from the store; its times are of this boot already.
  void restore(const StoreRow& row);
  [[nodiscard]] Verdict freeze(const Order& order, Time now);
  [[nodiscard]] Verdict thaw(const Order& order, Time now);
  void end_due(Time now);
  void configure(const std::vector<PoolSpec>& pools) { specs_.configure(pools); }
  // A lease was given back; a lease ended by time or was evicted; a rest is over.
  void released(LeasePool& pool, const Lease& lease, const Release& question, Time now);
  void cut(LeasePool& pool, const Lease& lease, Time at, const char* how, Time now);
  void rest_is_over(const LeasePool& pool, Token token, Time now);
  [[nodiscard]] const Rulings& rulings() const { return rulings_; }

 private:
  void begin(Freeze freeze, Time now);
  void rest(LeasePool& pool, std::optional<Rest> rest, Time now);
  void count_run(LeasePool& pool, const Lease& lease, bool failed, const std::string& how,
                 Time now);
  void store_failures(const LeasePool& pool, Time now);
  void thawed(const Freeze& freeze, const std::string& by, Time now);

  LeaseTable& table_;
  StoreBooks& books_;
  const BackendSink& sink_;
  std::function<void()> hand_over_;
  PoolBook specs_;
  Rulings rulings_;
  uint64_t changed_ = 0;  // the batch of the last freeze, thaw or count that a thaw ended
};

}  // namespace distributex
