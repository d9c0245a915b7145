// SPDX-License-Identifier: MIT
// The question for a slot, as a state machine: finds the lease that the owner
// has, or grants one if a slot is free and it is this server's turn. Pure.
#pragma once

#include "backends/etcd/question.h"

namespace distributex {

class EtcdAcquire : public EtcdQuestion {
 public:
  EtcdAcquire(const EtcdWorld& world, Acquire question, Time now);

  [[nodiscard]] EtcdStep next(EtcdWorld& world, Time now);
  void take(EtcdWorld& world, const EtcdReply& reply, Time now);

 private:
  enum class Phase { none, looking, queuing, granting, taking, ending, settling };

  [[nodiscard]] EtcdStep give_up(EtcdWorld& world, Time now);
  [[nodiscard]] EtcdStep next_of_holder(EtcdWorld& world, const EtcdLease& found, Time now);
  [[nodiscard]] EtcdStep look(const EtcdWorld& world);
  [[nodiscard]] EtcdStep queue(const EtcdWorld& world, Time now);
  [[nodiscard]] EtcdStep grant(EtcdWorld& world, size_t rank, Time now);
  void add_tickets(const EtcdWorld& world, EtcdTxn& txn, Time now);
  [[nodiscard]] EtcdStep take_over(const EtcdWorld& world, const EtcdLease& found, Time now);
  [[nodiscard]] EtcdStep end(const EtcdWorld& world, const EtcdLease& found);
  [[nodiscard]] Verdict full(EtcdWorld& world, Time now) const;
  [[nodiscard]] bool has_tokens(const EtcdWorld& world) const;

  void take_unknown(const EtcdReply& reply, bool is_grant);
  void take_end(EtcdWorld& world, const EtcdReply& reply, Time now);
  void take_settlement(EtcdWorld& world, const EtcdReply& reply, Time now);
  void take_grant(EtcdWorld& world, const EtcdReply& reply, Time now);
  void take_taken(EtcdWorld& world, const EtcdReply& reply, Time now);
  void granted(EtcdWorld& world, const EtcdKept& kept, Time now);
  void held(const EtcdKept& kept);
  [[nodiscard]] std::optional<Time> end_of(Time sent) const;
  [[nodiscard]] std::string ticket_value(const EtcdWorld& world, Time since, Time now) const;

  Acquire question_;
  Phase phase_ = Phase::none;
  EtcdSight seen_{};                // what the transaction under way assumes
  std::optional<EtcdLease> found_;  // the owner's lease that it is about
  uint64_t left_ = 0;               // of it
  uint64_t offset_ = 0;
  size_t skipped_ = 0;
  std::optional<Verdict> verdict_{};
};

}  // namespace distributex
