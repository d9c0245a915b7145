// SPDX-License-Identifier: MIT
// The transaction compares the count of failed runs and writes the new one. It removes the
// lease too, so that a repeated transaction fails and counts nothing.
#include "backends/etcd/removal.h"

#include <algorithm>

#include "backends/rests.h"

namespace distributex {

namespace {

using std::chrono::ceil;
using std::chrono::milliseconds;

std::string how_it_ended(const EtcdEnding& ending) {
  switch (ending.how) {
    case EtcdEnding::How::released:
      return how_it_failed(ending.status);
    case EtcdEnding::How::expired:
      return "its lock ended by time";
    case EtcdEnding::How::evicted:
      return "evicted";
  }
  return "";
}

}  // namespace

EtcdTxn EtcdRemoval::ask(EtcdWorld& world, const std::string& pool, const EtcdLease& lease,
                         EtcdCompare compare, const EtcdEnding& ending, Time now) {
  pool_ = pool;
  lease_ = lease;
  how_ = ending.how;
  spec_ = world.specs.find(pool);
  rest_.reset();
  const std::string key = world.keys.lease(pool, lease.owner);
  EtcdTxn txn{.compares = {std::move(compare)}, .success = {EtcdDelete{key}}, .failure = {}};
  world.add_owner(txn.failure, pool, lease.owner);
  add_rest(world, txn, ending, now);
  const bool is_run = ending.how != EtcdEnding::How::released || ending.outcome != Outcome::unknown;
  counts_ = spec_ && spec_->freeze_after != 0 && is_run;
  if (counts_) {
    has_failed_ = ending.how != EtcdEnding::How::released || ending.outcome == Outcome::failed;
    add_run(world, txn, ending, now);
    txn.failure.emplace_back(EtcdRange{.key = world.keys.runs(pool)});
    txn.failure.emplace_back(EtcdRange{.key = world.keys.rulings()});
  }
  spec_ = nullptr;
  return txn;
}

// Compares the clock, so that the clock in the rest's value is the clock at the commit.
void EtcdRemoval::add_rest(const EtcdWorld& world, EtcdTxn& txn, const EtcdEnding& ending,
                           Time now) {
  const Lease shown = world.shown(pool_, lease_, now);
  switch (ending.how) {
    case EtcdEnding::How::released:
      rest_ = rest_after_release(spec_, shown, now);
      break;
    case EtcdEnding::How::expired:
      rest_ = rest_after_cut(spec_, shown, shown.ends.value_or(now), now);
      break;
    case EtcdEnding::How::evicted:
      rest_ = rest_after_cut(spec_, shown, now, now);
      break;
  }
  if (!rest_) {
    return;
  }
  const auto left = ceil<milliseconds>(rest_->ends - now);
  txn.success.emplace_back(EtcdPut{world.keys.rest(pool_, rest_->token),
                                   format_rest({.left = static_cast<uint64_t>(left.count()),
                                                .clock = world.clock.shown(),
                                                .keeper = world.settings.server,
                                                .why = rest_->why,
                                                .owner = rest_->owner})});
  world.add_clock(txn.compares);
}

void EtcdRemoval::add_run(EtcdWorld& world, EtcdTxn& txn, const EtcdEnding& ending, Time now) {
  const std::string key = world.keys.runs(pool_);
  runs_ = world.runs_of(pool_);
  runs_after_ = has_failed_ ? runs_.count + 1 : 0;
  txn.compares.push_back(if_mod(key, runs_.mod));
  if (runs_after_ >= spec_->freeze_after && world.mirror.standing().freezes().has_room(pool_)) {
    add_freeze(world, txn, ending, now);
    runs_after_ = 0;
  }
  if (runs_after_ != 0) {
    txn.success.emplace_back(EtcdPut{key, std::to_string(runs_after_)});
  } else if (runs_.mod != 0) {
    txn.success.emplace_back(EtcdDelete{key});
  }
}

// Compares the rulings key as an operator's freeze does, so that all freezes are committed
// one after the other.
void EtcdRemoval::add_freeze(EtcdWorld& world, EtcdTxn& txn, const EtcdEnding& ending, Time now) {
  const Freeze freeze = freeze_after(pool_, runs_after_, lease_.owner, how_it_ended(ending), now);
  const std::string nonce = world.new_nonce();
  txn.compares.push_back(if_mod(world.keys.rulings(), world.mirror.standing().mod()));
  txn.success.emplace_back(EtcdPut{world.keys.rulings(), format_rulings({.nonce = nonce})});
  txn.success.emplace_back(
      EtcdPut{world.keys.freeze(pool_), format_freeze({.since = world.settings.wall_us(),
                                                       .nonce = nonce,
                                                       .by = freeze.by,
                                                       .reason = freeze.reason})});
}

bool EtcdRemoval::take(EtcdWorld& world, const EtcdAnswer& answer, Time now) {
  if (!answer.succeeded) {
    look_ = world.note_owner(lease_.owner, answer, 0, now);
    if (counts_) {
      world.note_runs(pool_, answer, 2);
      world.note_rulings(answer, 3);
    }
    return false;
  }
  look_ = EtcdLook{.revision = answer.revision, .lease = {}};
  if (how_ == EtcdEnding::How::expired) {
    world.tell_expired(pool_, lease_, now);
  }
  if (counts_) {
    const uint64_t mod = runs_after_ != 0 ? answer.revision : 0;
    world.note_runs(pool_, answer.revision, {.count = runs_after_, .mod = mod});
  }
  if (rest_) {
    world.note_rest(pool_, lease_, *rest_, answer.revision, now);
  } else {
    world.note_removal(pool_, lease_, answer.revision);
  }
  return true;
}

}  // namespace distributex
