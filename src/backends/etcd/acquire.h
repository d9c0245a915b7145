// SPDX-License-Identifier: MIT
// The question for a slot, as a state machine: finds the lease that the owner
// has, or grants one if a slot is free, no freeze stands and this server comes first
// among the servers that wait. acquire.cpp has the steps, grant.cpp those of a grant. Pure.
#pragma once

#include "backends/etcd/question.h"
#include "backends/etcd/removal.h"

namespace distributex {

class EtcdAcquire : public EtcdQuestion {
 public:
  EtcdAcquire(const EtcdWorld& world, Acquire question, Time now);

  [[nodiscard]] EtcdStep next(EtcdWorld& world, Time now);
  void take(EtcdWorld& world, const EtcdReply& reply, Time now);

 private:
  enum class Phase { none, looking, queuing, granting, confirming, taking, ending, settling };
  struct Grant {  // a lease that etcd holds and that no verdict has told yet
    EtcdKept kept;
    EtcdUnsettled left;  // for taking the grant back
    // etcd showed after this moment that no freeze stood; nullopt: it never did.
    std::optional<Time> is_clear{};
  };

  [[nodiscard]] EtcdStep give_up(EtcdWorld& world, Time now);
  [[nodiscard]] EtcdStep next_of_holder(EtcdWorld& world, const EtcdLease& found, Time now);
  [[nodiscard]] EtcdStep look(const EtcdWorld& world);
  [[nodiscard]] EtcdStep queue(const EtcdWorld& world, Time now);
  [[nodiscard]] EtcdStep next_of_seeker(EtcdWorld& world, Time now);
  [[nodiscard]] EtcdStep grant(EtcdWorld& world, size_t rank, Time now);
  [[nodiscard]] EtcdStep next_of_grant(EtcdWorld& world, Time now);
  void leave_grant(EtcdWorld& world, Time now);
  void add_tickets(const EtcdWorld& world, EtcdTxn& txn, Time now);
  [[nodiscard]] EtcdStep take_over(const EtcdWorld& world, const EtcdLease& found, Time now);
  [[nodiscard]] EtcdStep end(EtcdWorld& world, const EtcdLease& found, Time now);
  [[nodiscard]] Verdict full(EtcdWorld& world, Time now) const;
  [[nodiscard]] bool has_tokens(const EtcdWorld& world) const;

  [[nodiscard]] EtcdUnsettled unsettled(Time sent, bool is_grant) const;
  void take_end(EtcdWorld& world, const EtcdReply& reply, Time now);
  void take_settlement(EtcdWorld& world, const EtcdReply& reply, Time now);
  void take_grant(EtcdWorld& world, const EtcdReply& reply, Time now);
  void take_taken(EtcdWorld& world, const EtcdReply& reply, Time now);
  void take_confirmation(EtcdWorld& world, const EtcdReply& reply);
  void granted(EtcdWorld& world, Grant grant);
  [[nodiscard]] Verdict told(EtcdWorld& world, Time now) const;
  void held(const EtcdKept& kept);
  [[nodiscard]] std::optional<Time> end_of(Time sent) const;
  [[nodiscard]] std::string ticket_value(const EtcdWorld& world, Time since, Time now) const;

  Acquire question_;
  Phase phase_ = Phase::none;
  EtcdSight seen_{};                // the pool as the grant under way assumes it
  std::optional<EtcdLease> found_;  // the owner's lease that is being taken over
  EtcdRemoval removal_{};
  std::optional<Grant> grant_{};
  uint64_t left_ = 0;    // milliseconds that the written lease lasts; 0: for ever
  uint64_t offset_ = 0;  // of the tokens, when the grant was sent
  size_t skipped_ = 0;   // tickets of silent servers that the grant deletes
  std::optional<Verdict> verdict_{};
};

}  // namespace distributex
