// SPDX-License-Identifier: MIT
// Time limits, outcomes, and how an unknown write is settled.
#include "backends/etcd/question.h"

#include <algorithm>

namespace distributex {

namespace {

using std::chrono::milliseconds;

constexpr milliseconds first_limit{700};  // of one attempt
constexpr milliseconds after_refusal{50};

}  // namespace

Duration EtcdQuestion::limit(Time now) const {
  const Duration most = std::max<Duration>(deadline_ - now, milliseconds(1));
  return std::min<Duration>(first_limit * (1u << std::min(unknowns_, 6u)), most);
}

std::optional<EtcdPause> EtcdQuestion::pause(const EtcdWorld& world, Time now) const {
  if (!world.is_ready || world.clock.has_fallen()) {
    return EtcdPause{deadline_};
  }
  if (now < pause_until_) {
    return EtcdPause{std::min(pause_until_, deadline_)};
  }
  return std::nullopt;
}

Verdict EtcdQuestion::failed(const EtcdWorld& world) const {
  Verdict verdict;
  verdict.kind = Verdict::Kind::failed;
  const std::string& reason = reason_.empty() ? world.reason : reason_;
  verdict.reason = "etcd: " + (reason.empty() ? "no answer in time" : reason);
  return verdict;
}

bool EtcdQuestion::take_outcome(const EtcdReply& reply, Time now) {
  switch (reply.outcome) {
    case EtcdOutcome::answered:
      unknowns_ = 0;
      return true;
    case EtcdOutcome::unknown:
      unknowns_++;
      break;
    case EtcdOutcome::not_done:
      pause_until_ = now + after_refusal;
      break;
    case EtcdOutcome::refused:
    case EtcdOutcome::log_in:
      is_refused_ = true;
      break;
  }
  reason_ = reply.reason;
  return false;
}

EtcdPut EtcdQuestion::rewritten(const EtcdWorld& world, EtcdLeaseValue value, uint64_t left) const {
  value.left = left;
  value.clock = world.clock.shown();
  value.keeper = world.settings.server;
  value.nonce = nonce_;
  return {key(world), format_lease(value)};
}

EtcdTxn EtcdQuestion::settle(const EtcdWorld& world, Time now) {
  base_value_ = world.clock.next(now);
  EtcdTxn txn{.compares = world.if_clock(unsettled_->base, unsettled_->base_text),
              .success = {EtcdPut{world.keys.base(), base_value_}},
              .failure = {}};
  txn.success.emplace_back(EtcdRange{.key = key(world)});
  world.add_owner(txn.failure, pool_, owner_);
  return txn;
}

bool EtcdQuestion::take_settled(EtcdWorld& world, const EtcdAnswer& answer, Time now) {
  const std::string nonce = unsettled_->nonce;
  unsettled_.reset();
  has_looked_ = true;
  world.counts.settled++;
  if (answer.succeeded) {
    world.note_base(base_value_, answer.revision, now);
    look_ = EtcdLook{.revision = answer.revision, .lease = {}};
    for (const EtcdKv& kv : answer.parts.at(1).kvs) {
      look_->lease = world.mirror.read_lease(owner_, kv, now);
    }
  } else {
    look_ = world.note_owner(owner_, answer, 0, now);
  }
  return look_->lease && look_->lease->value.nonce == nonce;
}

}  // namespace distributex
