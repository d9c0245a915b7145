// SPDX-License-Identifier: MIT
// A grant's transaction compares the gate, so that no other grant of the pool came
// between; the clock, so that the token's offset is the newest and an unknown outcome
// can be settled; and the owner's key, so that the owner has no lease. To answer "held",
// this server writes the owner's lease anew, unless it wrote the lease last and has not
// asked to take it back: another server that granted the lease and could not tell its
// client then fails to take it back.
#include "backends/etcd/acquire.h"

#include <algorithm>
#include <utility>

namespace distributex {

namespace {

using std::chrono::milliseconds;

constexpr milliseconds look_again{5000};  // at a full pool; the watch calls earlier
constexpr milliseconds watch_pause{50};   // the watch calls earlier
constexpr milliseconds after_freeze{200};
constexpr milliseconds tried_on{100};         // until a patient question is asked again
constexpr milliseconds patience_max{10'000};  // with an etcd that does not answer
constexpr milliseconds adopt_within{3000};

}  // namespace

EtcdAcquire::EtcdAcquire(const EtcdWorld& world, Acquire question, Time now)
    : EtcdQuestion(question.pool, question.owner, now + world.settings.timeout),
      question_(std::move(question)) {}

EtcdStep EtcdAcquire::next(EtcdWorld& world, Time now) {
  if (verdict_) {
    return *verdict_;
  }
  if (grant_) {
    return next_of_grant(world, now);
  }
  if (is_over(now)) {
    return give_up(world, now);
  }
  if (const auto wait = pause(world, now)) {
    return *wait;
  }
  // An unsettled write of an earlier question may have granted this owner the lease.
  if (!unsettled_) {
    unsettled_ = world.adopt(pool_, owner_);
  }
  if (unsettled_) {
    phase_ = Phase::settling;
    return settle(world, now);
  }
  if (const EtcdLease* found = lease(world)) {
    return next_of_holder(world, *found, now);
  }
  if (question_.find_only) {
    return has_looked_ ? EtcdStep{full(world, now)} : look(world);
  }
  return next_of_seeker(world, now);
}

EtcdStep EtcdAcquire::next_of_seeker(EtcdWorld& world, Time now) {
  // Only the watch tells which pools are frozen.
  if (world.is_ruling_behind()) {
    return EtcdPause{std::min(now + watch_pause, deadline())};
  }
  const bool is_frozen = world.frozen(pool_) != nullptr;
  seen_ = world.sights.of(pool_);
  const auto free_since = world.sights.free_since(pool_, question_.slots, now);
  const size_t rank = seen_.rank_of(world.settings.server);
  const bool is_turn =
      rank == 0 ||
      (free_since && now - *free_since >= EtcdSights::turn * static_cast<int64_t>(rank));
  if (free_since && is_turn && !is_frozen) {
    return grant(world, rank, now);
  }
  if (question_.patient && !seen_.has_ticket(world.settings.server)) {
    return queue(world, now);
  }
  // The mirror may not show yet what another server has just released: ask etcd once.
  if (!question_.patient && !has_looked_) {
    return look(world);
  }
  return full(world, now);
}

// A patient question ends in "full" instead of "failed": its waiter keeps its place, and
// the engine asks again after tried_on. That next question settles an unknown grant.
EtcdStep EtcdAcquire::give_up(EtcdWorld& world, Time now) {
  if (unsettled_ && unsettled_->is_grant) {
    unsettled_->not_before = question_.patient ? now + adopt_within : now;
    world.leftovers.push_back(std::move(*unsettled_));
  }
  unsettled_.reset();
  const bool is_silent = !world.answered || now - *world.answered > patience_max;
  if (!question_.patient || is_refused() || is_silent) {
    return failed(world);
  }
  Verdict verdict;
  verdict.kind = Verdict::Kind::full;
  verdict.retry_at = now + tried_on;
  return verdict;
}

Verdict EtcdAcquire::full(EtcdWorld& world, Time now) const {
  Verdict verdict;
  verdict.kind = Verdict::Kind::full;
  if (const Freeze* freeze = world.frozen(pool_)) {
    // A freeze whose time is over still stands until its key is deleted in etcd.
    verdict.retry_at = freeze->until;
    if (verdict.retry_at) {
      verdict.retry_at = std::max(*verdict.retry_at, now + after_freeze);
    }
    return verdict;
  }
  const auto free_since = world.sights.free_since(pool_, question_.slots, now);
  const size_t rank = world.sights.of(pool_).rank_of(world.settings.server);
  const auto jitter = milliseconds(world.settings.random() % 1000);
  verdict.retry_at = free_since && rank > 0
                         ? *free_since + EtcdSights::turn * static_cast<int64_t>(rank)
                         : now + look_again + jitter;
  return verdict;
}

// --- steps ---

EtcdStep EtcdAcquire::look(const EtcdWorld& world) {
  phase_ = Phase::looking;
  EtcdTxn txn;
  world.add_state(txn.success, pool_, owner_);
  return txn;
}

EtcdStep EtcdAcquire::next_of_holder(EtcdWorld& world, const EtcdLease& found, Time now) {
  const EtcdKept* kept = world.keeper.find(pool_, owner_);
  const bool is_kept = kept && kept->mod == found.mod;
  const bool is_over =
      is_kept ? kept->ends && *kept->ends <= now
              : found.value.left != 0 && now - found.began >= milliseconds(found.value.left);
  if (is_over) {
    return end(world, found, now);
  }
  if (!is_kept || kept->is_given_back) {
    return take_over(world, found, now);
  }
  if (!has_looked_) {
    return look(world);
  }
  held(*kept);
  return *verdict_;
}

EtcdStep EtcdAcquire::queue(const EtcdWorld& world, Time now) {
  phase_ = Phase::queuing;
  EtcdTxn txn;
  txn.success.emplace_back(EtcdPut{world.keys.ticket(pool_, world.settings.server),
                                   ticket_value(world, question_.since, now)});
  world.add_state(txn.success, pool_, owner_);
  return txn;
}

std::string EtcdAcquire::ticket_value(const EtcdWorld& world, Time since, Time now) const {
  const auto age = std::chrono::floor<milliseconds>(std::max(now - since, Duration::zero()));
  return format_ticket({world.clock.at(now) - age.count(), question_.waiting});
}

// The client is told an end that counts from before the write, so no server ends the
// lease before that.
EtcdStep EtcdAcquire::take_over(const EtcdWorld& world, const EtcdLease& found, Time now) {
  phase_ = Phase::taking;
  found_ = found;
  nonce_ = world.new_nonce();
  base_ = world.clock.mod();
  base_text_ = world.clock.text();
  const auto run = std::chrono::floor<milliseconds>(std::max(now - found.began, Duration::zero()));
  left_ = found.value.left == 0 ? 0 : found.value.left - static_cast<uint64_t>(run.count());
  EtcdTxn txn{.compares = {if_mod(key(world), found.mod)},
              .success = {rewritten(world, found.value, left_)},
              .failure = {}};
  world.add_clock(txn.compares);
  world.add_owner(txn.failure, pool_, owner_);
  return txn;
}

EtcdStep EtcdAcquire::end(EtcdWorld& world, const EtcdLease& found, Time now) {
  phase_ = Phase::ending;
  return removal_.ask(world, pool_, found, if_mod(key(world), found.mod), {}, now);
}

// --- replies ---

void EtcdAcquire::take(EtcdWorld& world, const EtcdReply& reply, Time now) {
  const Phase phase = std::exchange(phase_, Phase::none);
  if (!take_outcome(reply, now)) {
    const bool is_write = phase == Phase::granting || phase == Phase::taking;
    if (is_write && reply.outcome == EtcdOutcome::unknown) {
      unsettled_ = unsettled(reply.sent, phase == Phase::granting);
    }
    return;
  }
  switch (phase) {
    case Phase::none:
      break;
    case Phase::looking:
      look_ = world.note_state(pool_, owner_, reply.answer, 0, now);
      has_looked_ = true;
      break;
    case Phase::queuing:  // operation 0 put the ticket; the state follows from 1 on
      world.note_owed(reply.answer.revision);
      look_ = world.note_state(pool_, owner_, reply.answer, 1, now);
      has_looked_ = true;
      break;
    case Phase::granting:
      take_grant(world, reply, now);
      break;
    case Phase::confirming:
      take_confirmation(world, reply);
      break;
    case Phase::taking:
      take_taken(world, reply, now);
      break;
    case Phase::ending:
      take_end(world, reply, now);
      break;
    case Phase::settling:
      take_settlement(world, reply, now);
      break;
  }
}

EtcdUnsettled EtcdAcquire::unsettled(Time sent, bool is_grant) const {
  return {.pool = pool_,
          .owner = owner_,
          .nonce = nonce_,
          .base = base_,
          .base_text = base_text_,
          .sent = sent,
          .is_grant = is_grant};
}

void EtcdAcquire::take_taken(EtcdWorld& world, const EtcdReply& reply, Time now) {
  const uint64_t revision = reply.answer.revision;
  if (!reply.answer.succeeded) {
    world.counts.conflicts++;
    look_ = world.note_owner(owner_, reply.answer, 0, now);
    return;
  }
  world.note_owed(revision);
  const EtcdKept kept{found_->token(), revision, end_of(reply.sent)};
  world.keeper.wrote(pool_, owner_, kept);
  held(kept);
}

void EtcdAcquire::take_end(EtcdWorld& world, const EtcdReply& reply, Time now) {
  (void)removal_.take(world, reply.answer, now);
  look_ = removal_.look();
}

void EtcdAcquire::take_settlement(EtcdWorld& world, const EtcdReply& reply, Time now) {
  const EtcdUnsettled write = *unsettled_;
  if (!take_settled(world, reply.answer, now)) {
    return;
  }
  const EtcdLease& lease = *look_->lease;
  // An earlier question may have made an adopted write, with another length.
  left_ = lease.value.left;
  const EtcdKept kept{lease.token(), lease.mod, end_of(write.sent)};
  if (write.is_grant) {
    return granted(world, {.kept = kept, .left = write});
  }
  world.keeper.wrote(pool_, owner_, kept);
  held(kept);
}

std::optional<Time> EtcdAcquire::end_of(Time sent) const {
  return left_ == 0 ? std::nullopt : std::optional{sent + milliseconds(left_)};
}

void EtcdAcquire::held(const EtcdKept& kept) {
  Verdict verdict;
  verdict.kind = Verdict::Kind::held;
  verdict.token = kept.token;
  verdict.ends = kept.ends;
  verdict_ = std::move(verdict);
}

}  // namespace distributex
