// SPDX-License-Identifier: MIT
// The end of a lease as one transaction, with what follows from it: its slot rests,
// its run counts as failed, and so many failed runs freeze the pool. All of it happens
// or nothing does, and once. Costs nothing more where no pool asks for any of it. Pure.
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
  // `compare` says which lease of the owner is meant.
  [[nodiscard]] EtcdTxn ask(EtcdWorld& world, const std::string& pool, const EtcdLease& lease,
                            EtcdCompare compare, const EtcdEnding& ending, Time now);
  // Notes what the answer tells, and an end by time for the engine; true when the lease was
  // removed. If not, look() is the owner's key; when the lease is still there it has to be asked
  // anew.
  [[nodiscard]] bool take(EtcdWorld& world, const EtcdAnswer& answer, Time now);

  [[nodiscard]] const EtcdLook& look() const { return look_; }
  // A slot rests, or runs are counted: the watch has more to tell than the removal.
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
  EtcdRuns runs_{};  // before, and their count after
  uint32_t runs_after_ = 0;
  EtcdLook look_{};
};

}  // namespace distributex
