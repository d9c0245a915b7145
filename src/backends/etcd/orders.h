// SPDX-License-Identifier: MIT
// What operators do where the leases are, as a state machine. Freezes and thaws of all
// servers come one after the other, for each compares the one before. An operator hears
// of a freeze when no server tells any more of a grant that was committed before it. Pure.
#pragma once

#include "backends/etcd/question.h"
#include "backends/etcd/removal.h"

namespace distributex {

class EtcdOrder : public EtcdQuestion {
 public:
  EtcdOrder(const EtcdWorld& world, Order question, Time now);

  [[nodiscard]] EtcdStep next(EtcdWorld& world, Time now);
  void take(EtcdWorld& world, const EtcdReply& reply, Time now);

 private:
  enum class Phase { none, looking, freezing, thawing, evicting };

  [[nodiscard]] EtcdStep next_of_freeze(EtcdWorld& world);
  [[nodiscard]] EtcdStep next_of_thaw(EtcdWorld& world);
  [[nodiscard]] EtcdStep next_of_eviction(EtcdWorld& world, Time now);
  [[nodiscard]] EtcdStep look(const EtcdWorld& world);
  [[nodiscard]] static Verdict verdict_of(Verdict::Kind kind);
  [[nodiscard]] bool is_waited_for(const EtcdWorld& world, Time now) const;
  void find_lease(const EtcdWorld& world);
  void take_unknown();
  void take_look(EtcdWorld& world, const EtcdAnswer& answer, Time now);
  void await_runs(const EtcdWorld& world, const EtcdAnswer& answer);
  void take_freeze(EtcdWorld& world, const EtcdAnswer& answer, Time now);
  void take_thaw(EtcdWorld& world, const EtcdAnswer& answer, Time now);
  void take_eviction(EtcdWorld& world, const EtcdAnswer& answer, Time now);
  void frozen(EtcdWorld& world, uint64_t revision, Time now);

  Order question_;
  Phase phase_ = Phase::none;
  bool has_thawed_ = false;  // one freeze at least, as far as can be known
  bool is_thawing_ = false;  // the transaction under way ends a freeze
  bool is_unknown_ = false;  // an attempt may have been carried out
  std::optional<Time> until_{};
  std::optional<EtcdLease> lease_{};  // to be evicted
  EtcdRemoval removal_{};
  uint64_t shows_at_ = 0;  // the watch will tell of it, at that revision
  Time not_before_{};      // a verdict
  Time told_by_{};         // whatever the watch tells
  std::optional<Verdict> verdict_{};
};

}  // namespace distributex
