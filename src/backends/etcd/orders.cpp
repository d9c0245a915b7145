// SPDX-License-Identifier: MIT
// If the outcome of a freeze is unknown, the order looks for the freeze's nonce, and asks
// again if it is absent: the first write, if it arrives late, fails once another freeze or
// thaw is committed. A thaw ends the freezes that the mirror shows, some at a time, until
// the mirror shows none.
#include "backends/etcd/orders.h"

#include <algorithm>
#include <utility>

namespace distributex {

namespace {

using std::chrono::ceil;
using std::chrono::milliseconds;

constexpr milliseconds watch_pause{50};
constexpr milliseconds watch_wait{500};
constexpr size_t thawed_max = 40;  // freezes, and runs; etcd takes 128 operations in a list

}  // namespace

EtcdOrder::EtcdOrder(const EtcdWorld& world, Order question, Time now)
    : EtcdQuestion(question.pool, {}, now + world.settings.timeout),
      question_(std::move(question)) {
  if (question_.lasts) {
    until_ = now + *question_.lasts;
  }
}

Verdict EtcdOrder::verdict_of(Verdict::Kind kind) {
  Verdict verdict;
  verdict.kind = kind;
  return verdict;
}

// Delays the verdict until the mirror shows the order's effect, so that the next question to
// this server sees it.
bool EtcdOrder::is_waited_for(const EtcdWorld& world, Time now) const {
  return now < not_before_ || (world.mirror.revision() < shows_at_ && now < told_by_);
}

EtcdStep EtcdOrder::next(EtcdWorld& world, Time now) {
  if (is_waited_for(world, now)) {
    return EtcdPause{now < not_before_ ? not_before_ : told_by_};
  }
  if (verdict_) {
    return *verdict_;
  }
  if (is_over(now)) {
    return failed(world);
  }
  if (const auto wait = pause(world, now)) {
    return *wait;
  }
  if (world.is_ruling_behind()) {
    return EtcdPause{std::min(now + watch_pause, deadline())};
  }
  switch (question_.kind) {
    case Order::Kind::freeze:
      return next_of_freeze(world);
    case Order::Kind::thaw:
      return next_of_thaw(world);
    case Order::Kind::evict:
      return next_of_eviction(world, now);
  }
  return failed(world);
}

EtcdStep EtcdOrder::look(const EtcdWorld& world) {
  phase_ = Phase::looking;
  EtcdTxn txn;
  txn.success.emplace_back(EtcdRange{.key = world.keys.rulings()});
  txn.success.emplace_back(EtcdRange{.key = world.keys.freeze(pool_)});
  if (question_.kind == Order::Kind::evict) {
    const EtcdSpan leases = world.keys.leases(pool_);
    txn.success.emplace_back(EtcdRange{.key = leases.from, .range_end = leases.to});
  }
  if (question_.kind == Order::Kind::thaw) {
    const EtcdSpan runs = world.keys.all_runs();
    txn.success.emplace_back(EtcdRange{.key = runs.from, .range_end = runs.to});
  }
  return txn;
}

EtcdStep EtcdOrder::next_of_freeze(EtcdWorld& world) {
  if (is_unknown_ && !has_looked_) {
    return look(world);
  }
  const EtcdStanding& standing = world.mirror.standing();
  if (!standing.freezes().has_room(pool_)) {
    Verdict verdict;
    verdict.reason = Rulings::too_many_freezes;
    return verdict;
  }
  if (nonce_.empty()) {
    nonce_ = world.new_nonce();
  }
  if (until_) {
    world.mirror.standing().promise(nonce_, *until_);
  }
  phase_ = Phase::freezing;
  const auto lasts = ceil<milliseconds>(question_.lasts.value_or(Duration::zero()));
  const std::string value = format_freeze({.since = world.settings.wall_us(),
                                           .lasts = static_cast<uint64_t>(lasts.count()),
                                           .nonce = nonce_,
                                           .by = question_.by,
                                           .reason = question_.reason});
  EtcdTxn txn{.compares = {if_mod(world.keys.rulings(), standing.mod())},
              .success = {EtcdPut{world.keys.rulings(), format_rulings({.nonce = nonce_})},
                          EtcdPut{world.keys.freeze(pool_), value}},
              .failure = {EtcdRange{.key = world.keys.rulings()},
                          EtcdRange{.key = world.keys.freeze(pool_)}}};
  return txn;
}

// Thaws, and deletes the counts of failed runs of the thawed pools.
EtcdStep EtcdOrder::next_of_thaw(EtcdWorld& world) {
  if (!has_looked_) {
    return look(world);
  }
  const EtcdStanding& standing = world.mirror.standing();
  const auto freezes = standing.frozen_names(pool_, thawed_max);
  const auto failing = standing.failing_names(pool_, thawed_max);
  if (freezes.empty() && failing.empty()) {
    return verdict_of(has_thawed_ ? Verdict::Kind::done : Verdict::Kind::not_held);
  }
  phase_ = Phase::thawing;
  is_thawing_ = !freezes.empty();
  EtcdTxn txn{.compares = {if_mod(world.keys.rulings(), standing.mod())},
              .success = {EtcdPut{world.keys.rulings(), format_rulings({.nonce = world.new_nonce(),
                                                                        .by = question_.by})}},
              .failure = {EtcdRange{.key = world.keys.rulings()}}};
  for (const std::string& name : freezes) {
    txn.success.emplace_back(EtcdDelete{world.keys.freeze(name)});
  }
  for (const std::string& pool : failing) {
    txn.success.emplace_back(EtcdDelete{world.keys.runs(pool)});
  }
  return txn;
}

void EtcdOrder::find_lease(const EtcdWorld& world) {
  const EtcdPool* pool = world.mirror.find(pool_);
  if (!pool) {
    return;
  }
  for (const auto& [owner, lease] : pool->leases) {
    if (lease.token() == question_.token) {
      lease_ = lease;
    }
  }
}

// Compares the lease's create_revision, which no renewal changes.
EtcdStep EtcdOrder::next_of_eviction(EtcdWorld& world, Time now) {
  if (!lease_ && !has_looked_) {
    find_lease(world);
    if (!lease_) {
      return look(world);
    }
  }
  if (!lease_) {
    return verdict_of(Verdict::Kind::not_held);
  }
  phase_ = Phase::evicting;
  return removal_.ask(world, pool_, *lease_,
                      if_create(world.keys.lease(pool_, lease_->owner), lease_->create),
                      {.how = EtcdEnding::How::evicted}, now);
}

// --- replies ---

void EtcdOrder::take(EtcdWorld& world, const EtcdReply& reply, Time now) {
  const Phase phase = std::exchange(phase_, Phase::none);
  if (!take_outcome(reply, now)) {
    if (phase != Phase::looking && reply.outcome == EtcdOutcome::unknown) {
      take_unknown();
    }
    return;
  }
  switch (phase) {
    case Phase::none:
      break;
    case Phase::looking:
      take_look(world, reply.answer, now);
      break;
    case Phase::freezing:
      take_freeze(world, reply.answer, now);
      break;
    case Phase::thawing:
      take_thaw(world, reply.answer, now);
      break;
    case Phase::evicting:
      take_eviction(world, reply.answer, now);
      break;
  }
}

void EtcdOrder::take_unknown() {
  is_unknown_ = true;
  has_thawed_ = has_thawed_ || is_thawing_;
  has_looked_ = question_.kind == Order::Kind::evict;
}

void EtcdOrder::take_look(EtcdWorld& world, const EtcdAnswer& answer, Time now) {
  has_looked_ = true;
  world.note_rulings(answer, 0);
  if (question_.kind == Order::Kind::freeze) {
    for (const EtcdKv& kv : answer.parts.at(1).kvs) {
      const auto value = parse_freeze(kv.value);
      if (value && value->nonce == nonce_) {
        frozen(world, kv.mod, now);
      }
    }
  }
  if (question_.kind == Order::Kind::thaw) {
    await_runs(world, answer);
  }
  if (question_.kind != Order::Kind::evict) {
    return;
  }
  for (const EtcdKv& kv : answer.parts.at(2).kvs) {
    const auto place = world.keys.place(kv.key);
    const auto* key = place ? std::get_if<EtcdLeaseKey>(&*place) : nullptr;
    if (!key) {
      continue;
    }
    EtcdLease lease = world.mirror.read_lease(key->owner, kv, now);
    if (lease.token() == question_.token) {
      lease_ = std::move(lease);
    }
  }
}

// Waits until the mirror shows the runs that other servers counted before this order, so
// that the thaw deletes them too.
void EtcdOrder::await_runs(const EtcdWorld& world, const EtcdAnswer& answer) {
  for (const EtcdKv& kv : answer.parts.at(2).kvs) {
    shows_at_ = std::max(shows_at_, kv.mod);
  }
  if (world.mirror.revision() < shows_at_) {
    told_by_ = deadline();
  }
}

void EtcdOrder::take_freeze(EtcdWorld& world, const EtcdAnswer& answer, Time now) {
  if (answer.succeeded) {
    return frozen(world, answer.revision, now);
  }
  world.counts.conflicts++;
  take_look(world, answer, now);
}

void EtcdOrder::frozen(EtcdWorld& world, uint64_t revision, Time now) {
  world.note_owed(revision);
  shows_at_ = revision;
  not_before_ = now + freeze_told_after;
  told_by_ = not_before_ + watch_wait;
  verdict_ = verdict_of(Verdict::Kind::done);
}

void EtcdOrder::take_thaw(EtcdWorld& world, const EtcdAnswer& answer, Time now) {
  if (!answer.succeeded) {
    world.counts.conflicts++;
    return world.note_rulings(answer, 0);
  }
  world.note_owed(answer.revision);
  has_thawed_ = has_thawed_ || is_thawing_;
  shows_at_ = answer.revision;
  told_by_ = std::max(now + watch_wait, deadline());
}

void EtcdOrder::take_eviction(EtcdWorld& world, const EtcdAnswer& answer, Time now) {
  const Lease shown = world.shown(pool_, *lease_, now);
  const bool is_done = removal_.take(world, answer, now);
  const EtcdLook& look = removal_.look();
  if (!is_done && look.lease && look.lease->create == lease_->create) {
    return;  // runs or freezes have changed; the answer told it, so try again
  }
  if (!is_done && !is_unknown_) {
    verdict_ = verdict_of(Verdict::Kind::not_held);
    return;
  }
  // This attempt has removed the lease, or probably an earlier one of unknown outcome.
  shows_at_ = is_done ? answer.revision : 0;
  told_by_ = now + watch_wait;
  verdict_ = verdict_of(Verdict::Kind::done);
  verdict_->owner = lease_->owner;
  verdict_->token = question_.token;
  world.happened.push_back({.kind = Happening::Kind::evicted,
                            .pool = pool_,
                            .owner = lease_->owner,
                            .token = question_.token,
                            .reason = question_.reason,
                            .by = question_.by,
                            .held = now - shown.since});
  world.news.push_back({.pool = pool_});
}

}  // namespace distributex
