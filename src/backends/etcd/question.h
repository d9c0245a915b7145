// SPDX-License-Identifier: MIT
// The base of the four kinds of questions (acquire, release, renew, order): the core asks
// the state machine for its next step, carries the step out, and hands in the reply. A step
// is a transaction, a pause or the verdict. Pure.
#pragma once

#include <optional>
#include <string>
#include <variant>

#include "backends/etcd/wire.h"
#include "backends/etcd/world.h"

namespace distributex {

// Nothing to do until then, or until the mirror changes.
struct EtcdPause {
  Time until{};
};
using EtcdStep = std::variant<EtcdTxn, EtcdPause, Verdict>;

class EtcdQuestion {
 public:
  EtcdQuestion(std::string pool, Owner owner, Time deadline)
      : pool_(std::move(pool)), owner_(std::move(owner)), deadline_(deadline) {}

  [[nodiscard]] const std::string& pool() const { return pool_; }
  [[nodiscard]] const Owner& owner() const { return owner_; }
  [[nodiscard]] Time deadline() const { return deadline_; }
  // The time limit of the next transaction; doubles after each unknown outcome.
  [[nodiscard]] Duration limit(Time now) const;

 protected:
  // Whether nothing more can be asked: its time is over, or etcd refused.
  [[nodiscard]] bool is_over(Time now) const { return is_refused_ || now >= deadline_; }
  [[nodiscard]] bool is_refused() const { return is_refused_; }
  // The pause until the backend is ready, or after a transaction that was not done.
  [[nodiscard]] std::optional<EtcdPause> pause(const EtcdWorld& world, Time now) const;
  [[nodiscard]] Verdict failed(const EtcdWorld& world) const;
  // Notes the outcome; true if there is an answer.
  bool take_outcome(const EtcdReply& reply, Time now);
  [[nodiscard]] const EtcdLease* lease(const EtcdWorld& world) const {
    return world.lease_of(pool_, owner_, look_);
  }
  [[nodiscard]] std::string key(const EtcdWorld& world) const {
    return world.keys.lease(pool_, owner_);
  }
  // The put that writes the lease anew with this server's name and this nonce.
  [[nodiscard]] EtcdPut rewritten(const EtcdWorld& world, EtcdLeaseValue value,
                                  uint64_t left) const;

  // A transaction that moves the clock, so that etcd can no longer carry out the unsettled
  // write, and reads the owner's key.
  [[nodiscard]] EtcdTxn settle(const EtcdWorld& world, Time now);
  // Takes the answer; true if the unsettled write stands in the key.
  [[nodiscard]] bool take_settled(EtcdWorld& world, const EtcdAnswer& answer, Time now);

  std::string pool_;
  Owner owner_;
  Time deadline_;
  std::string nonce_;         // of the write under way
  uint64_t base_ = 0;         // the clock's revision that the write compares
  std::string base_text_{};   // the clock's value that the write compares
  std::string base_value_{};  // the clock's value that settle() puts
  std::optional<EtcdLook> look_{};
  bool has_looked_ = false;  // etcd has answered since the question came
  std::optional<EtcdUnsettled> unsettled_{};

 private:
  bool is_refused_ = false;
  unsigned unknowns_ = 0;
  Time pause_until_{};
  std::string reason_{};
};

}  // namespace distributex
