// SPDX-License-Identifier: MIT
// A release compares the create_revision, which no renewal changes. Taking back a grant
// that was not told compares the mod_revision instead: another server that tells the owner
// "held" writes the key first, and taking back then fails.
#include "backends/etcd/lease_questions.h"

#include <algorithm>
#include <utility>

namespace distributex {

using std::chrono::milliseconds;

namespace {

constexpr milliseconds watch_pause{50};  // a change in the mirror wakes the question earlier
constexpr milliseconds watch_wait{200};

}  // namespace

// --- release ---

EtcdRelease::EtcdRelease(const EtcdWorld& world, Release question, Time now)
    : EtcdRelease(world, std::move(question), std::nullopt, now) {
  if (const EtcdKept* kept = world.keeper.find(pool_, owner_)) {
    written_ = kept->mod;
  }
}

EtcdRelease::EtcdRelease(const EtcdWorld& world, Release question, std::optional<uint64_t> written,
                         Time now)
    : EtcdQuestion(question.pool, question.owner, now + world.settings.timeout),
      question_(std::move(question)),
      written_(written) {}

bool EtcdRelease::fits(const EtcdLease& found) const {
  return !question_.token || *question_.token == found.token();
}

EtcdStep EtcdRelease::next(EtcdWorld& world, Time now) {
  if (verdict_) {
    const bool shows = world.mirror.revision() >= shows_at_ || now >= told_by_;
    return shows ? EtcdStep{*verdict_} : EtcdPause{told_by_};
  }
  if (is_over(now)) {
    return failed(world);
  }
  if (const auto wait = pause(world, now)) {
    return *wait;
  }
  if (question_.undelivered) {
    return take_back(world);
  }
  if (removal_.has_consequences() && world.is_ruling_behind()) {
    return EtcdPause{std::min(now + watch_pause, deadline())};
  }
  // Remove the lease that the earlier attempt named; leave a later lease of the owner alone.
  if (is_unknown_) {
    return remove(world, now);
  }
  const EtcdLease* found = lease(world);
  if (found && fits(*found)) {
    target_ = *found;
    return remove(world, now);
  }
  if (has_looked_) {
    Verdict verdict;
    verdict.kind = Verdict::Kind::not_held;
    return verdict;
  }
  phase_ = Phase::looking;
  EtcdTxn txn;
  world.add_owner(txn.success, pool_, owner_);
  return txn;
}

// If this server has written the lease again since, it has told the owner: keep the lease.
EtcdStep EtcdRelease::take_back(EtcdWorld& world) {
  const EtcdKept* kept = world.keeper.find(pool_, owner_);
  if (!kept || kept->mod != written_ || (question_.token && kept->token != *question_.token)) {
    Verdict verdict;
    verdict.kind = is_unknown_ ? Verdict::Kind::released : Verdict::Kind::not_held;
    return verdict;
  }
  if (!target_) {
    EtcdLease lease{.owner = owner_, .value = {}, .create = kept->mod, .mod = kept->mod};
    if (const EtcdLease* seen = world.mirror.find(pool_, owner_)) {
      lease.create = seen->create;
    }
    lease.value.offset = kept->token - lease.create;
    target_ = lease;
  }
  phase_ = Phase::taking_back;
  world.keeper.given_back(pool_, owner_);
  EtcdTxn txn{.compares = {if_mod(key(world), kept->mod)},
              .success = {EtcdDelete{key(world)}},
              .failure = {}};
  world.add_owner(txn.failure, pool_, owner_);
  return txn;
}

EtcdStep EtcdRelease::remove(EtcdWorld& world, Time now) {
  phase_ = Phase::removing;
  const EtcdEnding ending{
      .how = EtcdEnding::How::released, .outcome = question_.outcome, .status = question_.status};
  return removal_.ask(world, pool_, *target_, if_create(key(world), target_->create), ending, now);
}

void EtcdRelease::take(EtcdWorld& world, const EtcdReply& reply, Time now) {
  const Phase phase = std::exchange(phase_, Phase::none);
  if (!take_outcome(reply, now)) {
    const bool is_removal = phase == Phase::removing || phase == Phase::taking_back;
    is_unknown_ = is_unknown_ || (is_removal && reply.outcome == EtcdOutcome::unknown);
    return;
  }
  switch (phase) {
    case Phase::none:
      break;
    case Phase::looking:
      look_ = world.note_owner(owner_, reply.answer, 0, now);
      has_looked_ = true;
      break;
    case Phase::taking_back:
      take_taking_back(world, reply, now);
      break;
    case Phase::removing:
      take_removal(world, reply, now);
      break;
  }
}

// If the compares failed although the lease is still there, something else has changed
// (clock, runs or freezes). The answer told it, so the next attempt can succeed.
void EtcdRelease::take_removal(EtcdWorld& world, const EtcdReply& reply, Time now) {
  const Verdict verdict = released(world, now);
  if (removal_.take(world, reply.answer, now)) {
    verdict_ = verdict;
    if (removal_.has_consequences()) {
      shows_at_ = reply.answer.revision;
      told_by_ = now + watch_wait;
    }
    return;
  }
  look_ = removal_.look();
  has_looked_ = true;
  const bool is_there = look_->lease && look_->lease->create == target_->create;
  // The earlier attempt of unknown outcome has probably removed it.
  if (is_unknown_ && !is_there) {
    verdict_ = verdict;
  }
}

void EtcdRelease::take_taking_back(EtcdWorld& world, const EtcdReply& reply, Time now) {
  if (reply.answer.succeeded) {
    verdict_ = released(world, now);
    return world.note_removal(pool_, *target_, reply.answer.revision);
  }
  look_ = world.note_owner(owner_, reply.answer, 0, now);
  has_looked_ = true;
  // The earlier attempt of unknown outcome has probably removed it.
  if (is_unknown_) {
    verdict_ = released(world, now);
  }
  if (!is_unknown_) {
    verdict_ = Verdict{};
    verdict_->kind = Verdict::Kind::not_held;
  }
}

Verdict EtcdRelease::released(const EtcdWorld& world, Time now) const {
  Verdict verdict;
  verdict.kind = Verdict::Kind::released;
  verdict.token = target_->token();
  if (target_->value.granted != 0) {
    verdict.since = world.shown(pool_, *target_, now).since;
  }
  return verdict;
}

// --- renew ---

EtcdRenew::EtcdRenew(const EtcdWorld& world, Renew question, Time now)
    : EtcdQuestion(question.pool, question.owner, now + world.settings.timeout),
      question_(std::move(question)) {}

EtcdStep EtcdRenew::next(EtcdWorld& world, Time now) {
  if (verdict_) {
    return *verdict_;
  }
  if (is_over(now)) {
    return failed(world);
  }
  if (const auto wait = pause(world, now)) {
    return *wait;
  }
  if (unsettled_) {
    phase_ = Phase::settling;
    return settle(world, now);
  }
  const EtcdLease* found = lease(world);
  if (found && (!question_.token || *question_.token == found->token())) {
    const EtcdKept* kept = world.keeper.find(pool_, owner_);
    const bool is_over = kept && kept->mod == found->mod && kept->ends && *kept->ends <= now;
    return is_over ? end(world, *found, now) : write(world, *found);
  }
  if (!has_looked_) {
    return look(world);
  }
  Verdict verdict;
  verdict.kind = Verdict::Kind::lost;
  return verdict;
}

EtcdStep EtcdRenew::look(const EtcdWorld& world) {
  phase_ = Phase::looking;
  EtcdTxn txn;
  world.add_owner(txn.success, pool_, owner_);
  return txn;
}

EtcdStep EtcdRenew::write(const EtcdWorld& world, const EtcdLease& found) {
  phase_ = Phase::writing;
  found_ = found;
  nonce_ = world.new_nonce();
  base_ = world.clock.mod();
  base_text_ = world.clock.text();
  EtcdLeaseValue value = found.value;
  if (question_.length && value.length != 0) {
    value.length = static_cast<uint64_t>(milliseconds(*question_.length).count());
  }
  left_ = value.length;
  EtcdTxn txn{.compares = {if_mod(key(world), found.mod)},
              .success = {rewritten(world, value, left_)},
              .failure = {}};
  world.add_clock(txn.compares);
  world.add_owner(txn.failure, pool_, owner_);
  return txn;
}

// The lease's time is over as this server told its owner: end the lease, do not renew it.
EtcdStep EtcdRenew::end(EtcdWorld& world, const EtcdLease& found, Time now) {
  phase_ = Phase::ending;
  return removal_.ask(world, pool_, found, if_mod(key(world), found.mod), {}, now);
}

void EtcdRenew::take(EtcdWorld& world, const EtcdReply& reply, Time now) {
  const Phase phase = std::exchange(phase_, Phase::none);
  if (!take_outcome(reply, now)) {
    if (phase == Phase::writing && reply.outcome == EtcdOutcome::unknown) {
      unsettled_ = EtcdUnsettled{.pool = pool_,
                                 .owner = owner_,
                                 .nonce = nonce_,
                                 .base = base_,
                                 .base_text = base_text_,
                                 .sent = reply.sent};
    }
    return;
  }
  switch (phase) {
    case Phase::none:
      break;
    case Phase::looking:
      look_ = world.note_owner(owner_, reply.answer, 0, now);
      has_looked_ = true;
      break;
    case Phase::writing:
      take_write(world, reply, now);
      break;
    case Phase::ending:
      take_end(world, reply, now);
      break;
    case Phase::settling: {
      const Time sent = unsettled_->sent;
      if (!take_settled(world, reply.answer, now)) {
        break;
      }
      renewed(world, {look_->lease->token(), look_->lease->mod, end_of(sent)}, now);
      break;
    }
  }
}

void EtcdRenew::take_write(EtcdWorld& world, const EtcdReply& reply, Time now) {
  if (reply.answer.succeeded) {
    world.note_owed(reply.answer.revision);
    return renewed(world, {found_->token(), reply.answer.revision, end_of(reply.sent)}, now);
  }
  world.counts.conflicts++;
  look_ = world.note_owner(owner_, reply.answer, 0, now);
  has_looked_ = true;
}

void EtcdRenew::take_end(EtcdWorld& world, const EtcdReply& reply, Time now) {
  has_looked_ = true;
  (void)removal_.take(world, reply.answer, now);
  look_ = removal_.look();
}

std::optional<Time> EtcdRenew::end_of(Time sent) const {
  return left_ == 0 ? std::nullopt : std::optional{sent + milliseconds(left_)};
}

// If the renewed lease is over by now, the renewal came too late: the verdict is "lost".
void EtcdRenew::renewed(EtcdWorld& world, const EtcdKept& kept, Time now) {
  world.keeper.wrote(pool_, owner_, kept);
  Verdict verdict;
  verdict.kind = kept.ends && *kept.ends <= now ? Verdict::Kind::lost : Verdict::Kind::renewed;
  verdict.token = kept.token;
  verdict.ends = kept.ends;
  verdict_ = std::move(verdict);
}

}  // namespace distributex
