// SPDX-License-Identifier: MIT
// A grant compares the revision of the last freeze or thaw that this server knows of, so
// it fails once another freeze is committed. A grant that was committed before the freeze
// may be told within told_within only; an operator hears of the freeze later than that
// after its commit (freeze_told_after). If more time has passed, the grant asks again
// whether a freeze stands, and gives the lease back if one does.
#include <algorithm>
#include <utility>

#include "backends/etcd/acquire.h"

namespace distributex {

namespace {

using std::chrono::milliseconds;

constexpr milliseconds look_again{5000};  // for a slot; the watch calls earlier
constexpr milliseconds watch_pause{50};
constexpr size_t skipped_max = 64;  // etcd takes 128 operations in a list
constexpr Token token_reserve = 1u << 20;

uint64_t length_of(const Acquire& question) {
  if (!question.length) {
    return 0;
  }
  return static_cast<uint64_t>(std::chrono::duration_cast<milliseconds>(*question.length).count());
}

}  // namespace

bool EtcdAcquire::has_tokens(const EtcdWorld& world) const {
  const uint64_t revision = std::max(world.mirror.revision(), seen_.revision);
  return world.clock.offset() + revision + token_reserve < max_token;
}

EtcdStep EtcdAcquire::grant(EtcdWorld& world, size_t rank, Time now) {
  if (!has_tokens(world)) {
    Verdict verdict;
    verdict.reason = "etcd: there is no token left below 2^53";
    return verdict;
  }
  phase_ = Phase::granting;
  if (nonce_.empty()) {
    nonce_ = world.new_nonce();
  }
  base_ = world.clock.mod();
  base_text_ = world.clock.text();
  offset_ = world.clock.offset();
  left_ = length_of(question_);
  EtcdLeaseValue value;
  value.length = left_;
  value.offset = offset_;
  value.granted = world.settings.wall_us();
  value.note = question_.note;
  EtcdTxn txn{.compares = {if_mod(world.keys.gate(pool_), seen_.gate), if_create(key(world), 0),
                           if_mod(world.keys.rulings(), world.mirror.standing().mod())},
              .success = {rewritten(world, value, left_), EtcdPut{world.keys.gate(pool_), nonce_}},
              .failure = {}};
  world.add_clock(txn.compares);
  skipped_ = std::min(rank, skipped_max);
  add_tickets(world, txn, now);
  world.add_state(txn.failure, pool_, owner_);
  return txn;
}

// Adds to the grant's transaction: this server's ticket for its next waiter, or the deletion
// of that ticket; and the deletion of the tickets of silent servers that came first.
void EtcdAcquire::add_tickets(const EtcdWorld& world, EtcdTxn& txn, Time now) {
  const std::string& server = world.settings.server;
  const EtcdSpan tickets = world.keys.tickets(pool_);
  if (seen_.tickets.empty()) {
    EtcdCompare none = if_create(tickets.from, 0);
    none.range_end = tickets.to;
    txn.compares.push_back(std::move(none));
  }
  for (size_t i = 0; i < skipped_; i++) {
    txn.success.emplace_back(EtcdDelete{world.keys.ticket(pool_, seen_.tickets[i].server)});
  }
  seen_.tickets.erase(seen_.tickets.begin(),
                      seen_.tickets.begin() + static_cast<std::ptrdiff_t>(skipped_));
  const bool has_ticket = seen_.has_ticket(server);
  std::erase_if(seen_.tickets, [&](const EtcdTicket& ticket) { return ticket.server == server; });
  const std::string own = world.keys.ticket(pool_, server);
  if (question_.next_since) {
    const std::string value = ticket_value(world, *question_.next_since, now);
    txn.success.emplace_back(EtcdPut{own, value});
    const auto parsed = parse_ticket(value).value_or(EtcdTicketValue{});
    seen_.tickets.push_back({parsed.stamp, server, parsed.count, 0});
    seen_.tickets = in_turn(std::move(seen_.tickets));
  } else if (has_ticket) {
    txn.success.emplace_back(EtcdDelete{own});
  }
}

void EtcdAcquire::take_grant(EtcdWorld& world, const EtcdReply& reply, Time now) {
  const uint64_t revision = reply.answer.revision;
  if (reply.answer.succeeded) {
    world.counts.skipped += skipped_;
    world.note_owed(revision);
    world.sights.note_grant(pool_, seen_, revision);
    return granted(world, {.kept = {revision + offset_, revision, end_of(reply.sent)},
                           .left = unsettled(reply.sent, true),
                           .is_clear = reply.sent});
  }
  world.counts.conflicts++;
  look_ = world.note_state(pool_, owner_, reply.answer, 0, now);
  has_looked_ = true;
}

void EtcdAcquire::take_confirmation(EtcdWorld& world, const EtcdReply& reply) {
  world.note_rulings(reply.answer, 0);
  if (!world.is_ruling_behind() && !world.frozen(pool_)) {
    grant_->is_clear = reply.sent;
  }
}

void EtcdAcquire::granted(EtcdWorld& world, Grant grant) {
  world.keeper.wrote(pool_, owner_, grant.kept);
  world.highest_token = std::max(world.highest_token, grant.kept.token);
  grant_ = std::move(grant);
}

EtcdStep EtcdAcquire::next_of_grant(EtcdWorld& world, Time now) {
  const bool is_late = grant_->kept.ends && *grant_->kept.ends <= now;
  if (is_late || (grant_->is_clear && now - *grant_->is_clear <= told_within)) {
    return told(world, now);
  }
  if (is_over(now)) {
    leave_grant(world, now);
    return give_up(world, now);
  }
  if (const auto wait = pause(world, now)) {
    return *wait;
  }
  if (world.is_ruling_behind()) {
    return EtcdPause{std::min(now + watch_pause, deadline())};
  }
  if (world.frozen(pool_)) {
    leave_grant(world, now);
    verdict_ = full(world, now);
    return *verdict_;
  }
  phase_ = Phase::confirming;
  EtcdTxn txn;
  txn.success.emplace_back(EtcdRange{.key = world.keys.rulings()});
  return txn;
}

// Treats the grant like one of unknown outcome: the core takes it back, or the owner's next
// question adopts it.
void EtcdAcquire::leave_grant(EtcdWorld& world, Time now) {
  EtcdUnsettled left = std::move(std::exchange(grant_, std::nullopt)->left);
  left.not_before = now;
  world.leftovers.push_back(std::move(left));
}

// If the lease's time is over before its owner could hear of it, the verdict is "full": the
// keeper ends the lease, and the engine asks again.
Verdict EtcdAcquire::told(EtcdWorld& world, Time now) const {
  const EtcdKept& kept = grant_->kept;
  Verdict verdict;
  if (kept.ends && *kept.ends <= now) {
    verdict.kind = Verdict::Kind::full;
    verdict.retry_at = now;
    return verdict;
  }
  verdict.kind = Verdict::Kind::granted;
  verdict.token = kept.token;
  verdict.ends = kept.ends;
  const bool is_more_free = world.sights.of(pool_).count < question_.slots;
  verdict.retry_at = is_more_free ? now : now + look_again;
  return verdict;
}

}  // namespace distributex
