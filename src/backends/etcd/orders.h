// SPDX-License-Identifier: MIT
// An operator's order (freeze, thaw, evict), as a state machine. Freezes and thaws of all
// servers are committed one after the other, for each compares the one before. An operator
// hears of a freeze only when no server tells a grant any more that came before it. Pure.
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
  bool has_thawed_ = false;  // at least one freeze has (or may have) been thawed
  bool is_thawing_ = false;  // the transaction under way ends a freeze
  bool is_unknown_ = false;  // an attempt may have been carried out
  std::optional<Time> until_{};
  std::optional<EtcdLease> lease_{};  // to be evicted
  EtcdRemoval removal_{};
  uint64_t shows_at_ = 0;  // wait with the verdict until the mirror shows this revision,
  Time not_before_{};      // at least until then,
  Time told_by_{};         // and at most until then
  std::optional<Verdict> verdict_{};
};

}  // namespace distributex
