// SPDX-License-Identifier: MIT
// The end of a lease as one transaction, with its consequences: the slot rests, the run is
// counted, and too many failed runs freeze the pool. All of it is committed once, or none
// of it. If the pool has no such options, the transaction only removes the lease. Pure.
#pragma once

#include <optional>
#include <string>

#include "backends/etcd/world.h"

namespace distributex {

struct EtcdEnding {
  enum class How { released, expired, evicted };
  How how = How::expired;
  Outcome outcome = Outcome::unknown;  // released
  std::optional<uint8_t> status{};     // released
};

class EtcdRemoval {
 public:
  // `compare` says which lease, or which write of it, is removed.
  [[nodiscard]] EtcdTxn ask(EtcdWorld& world, const std::string& pool, const EtcdLease& lease,
                            EtcdCompare compare, const EtcdEnding& ending, Time now);
  // Notes what the answer tells; tells the engine an end by time. Returns true if the lease
  // was removed. If not, look() is the owner's key; if the lease is still there, call ask()
  // again.
  [[nodiscard]] bool take(EtcdWorld& world, const EtcdAnswer& answer, Time now);

  [[nodiscard]] const EtcdLook& look() const { return look_; }
  // Whether a slot rests or runs are counted, so that the watch tells more than the removal.
  [[nodiscard]] bool has_consequences() const { return rest_ || counts_; }

 private:
  void add_rest(const EtcdWorld& world, EtcdTxn& txn, const EtcdEnding& ending, Time now);
  void add_run(EtcdWorld& world, EtcdTxn& txn, const EtcdEnding& ending, Time now);
  void add_freeze(EtcdWorld& world, EtcdTxn& txn, const EtcdEnding& ending, Time now);

  std::string pool_;
  EtcdEnding::How how_ = EtcdEnding::How::expired;
  EtcdLease lease_;
  const PoolSpec* spec_ = nullptr;  // while ask() runs
  std::optional<Rest> rest_{};
  bool counts_ = false;
  bool has_failed_ = false;
  EtcdRuns runs_{};          // before the removal
  uint32_t runs_after_ = 0;  // the count after it
  EtcdLook look_{};
};

}  // namespace distributex
