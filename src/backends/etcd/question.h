// SPDX-License-Identifier: MIT
// What the three kinds of questions have in common: a state machine is asked
// for its next step, the step is done, and its reply handed in. Each step is a
// transaction, a pause or the verdict. Pure.
#pragma once

#include <optional>
#include <string>
#include <variant>

#include "backends/etcd/wire.h"
#include "backends/etcd/world.h"

namespace distributex {

// Nothing to do until then, or until something has changed.
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
  // Attempts whose outcome is unknown may each last twice as long as the one before.
  [[nodiscard]] Duration limit(Time now) const;

 protected:
  // Whether nothing more can be asked: its time is over, or etcd refused.
  [[nodiscard]] bool is_over(Time now) const { return is_refused_ || now >= deadline_; }
  [[nodiscard]] bool is_refused() const { return is_refused_; }
  // A pause that every question makes before its first step, or after a refusal.
  [[nodiscard]] std::optional<EtcdPause> pause(const EtcdWorld& world, Time now) const;
  [[nodiscard]] Verdict failed(const EtcdWorld& world) const;
  // Takes what is not an answer; true when it was one.
  bool take_outcome(const EtcdReply& reply, Time now);
  [[nodiscard]] const EtcdLease* lease(const EtcdWorld& world) const {
    return world.lease_of(pool_, owner_, look_);
  }
  [[nodiscard]] std::string key(const EtcdWorld& world) const {
    return world.keys.lease(pool_, owner_);
  }
  // The same lease by another write, as it is put.
  [[nodiscard]] EtcdPut rewritten(const EtcdWorld& world, EtcdLeaseValue value,
                                  uint64_t left) const;

  // Proves that an unknown write can no longer be carried out, and reads the key.
  [[nodiscard]] EtcdTxn settle(const EtcdWorld& world, Time now);
  // True when the write stands in the key.
  [[nodiscard]] bool take_settled(EtcdWorld& world, const EtcdAnswer& answer, Time now);

  std::string pool_;
  Owner owner_;
  Time deadline_;
  std::string nonce_;         // of the write under way
  uint64_t base_ = 0;         // the clock's revision that it compares
  std::string base_text_{};   // and its value
  std::string base_value_{};  // that a settling step puts
  std::optional<EtcdLook> look_{};
  bool has_looked_ = false;  // etcd was asked since the question came
  std::optional<EtcdUnsettled> unsettled_{};

 private:
  bool is_refused_ = false;
  unsigned unknowns_ = 0;
  Time pause_until_{};
  std::string reason_{};
};

}  // namespace distributex
