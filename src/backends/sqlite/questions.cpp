// SPDX-License-Identifier: MIT
// Decides questions at once, in memory; each verdict names the batch that stores its change.
#include <algorithm>
#include <utility>

#include "backends/sqlite/backend.h"
#include "base/clock.h"

namespace distributex {

uint64_t SqliteBackend::not_before(uint64_t batch) const {
  return batch > books_.stored() ? batch : 0;
}

Verdict SqliteBackend::failed() const {
  Verdict verdict = LeaseTable::without(Verdict::Kind::failed);
  verdict.reason = trouble_->what;
  return verdict;
}

// While the disk refuses, a lease whose last change is not stored is not told as held.
Verdict SqliteBackend::found(const HeldLease& held) const {
  const uint64_t stored = not_before(held.stored);
  if (trouble_ && stored != 0) {
    return failed();
  }
  Verdict verdict = LeaseTable::found(Verdict::Kind::held, held);
  verdict.stored = stored;
  return verdict;
}

Verdict SqliteBackend::without(Verdict::Kind kind, const LeasePool& pool) const {
  Verdict verdict = LeaseTable::without(kind);
  verdict.stored = not_before(pool.stored);
  return verdict;
}

// A pool that is asked for is not forgotten, though it was idle before.
LeasePool& SqliteBackend::open(const std::string& pool, Time now) {
  if (!forgotten_.empty()) {
    forgotten_.erase(pool);
  }
  return table_.open(pool, now);
}

Verdict SqliteBackend::decide(const Acquire& question, Time now) {
  now_ = now;
  LeasePool& pool = open(question.pool, now);
  if (const HeldLease* held = LeaseTable::find(pool, question.owner, std::nullopt)) {
    return found(*held);
  }
  if (trouble_) {
    return failed();
  }
  rulings_.end_due(now);
  if (const Freeze* freeze = rulings_.rulings().find(question.pool)) {
    return LeaseTable::full(*freeze);
  }
  if (question.find_only || pool.taken() >= question.slots) {
    return LeaseTable::full(pool);
  }
  return grant(pool, question, now);
}

// Tokens follow the wall clock, so that no token is granted twice after the store or the
// machine was put back to an earlier state.
Verdict SqliteBackend::grant(LeasePool& pool, const Acquire& question, Time now) {
  const uint64_t wall = wall_us();
  last_token_ = std::max(last_token_ + 1, std::min(wall, max_token / 2));
  HeldLease& held = table_.grant(pool, question, last_token_, now);
  books_.granted(pool, held, static_cast<int64_t>(wall), now);
  hand_over_soon();
  Verdict verdict = LeaseTable::granted(pool, held, question.slots, now);
  verdict.stored = books_.gathering();
  return verdict;
}

Verdict SqliteBackend::decide(const Release& question, Time now) {
  now_ = now;
  LeasePool& pool = open(question.pool, now);
  if (trouble_ && !question.undelivered) {
    return failed();
  }
  HeldLease* held = LeaseTable::find(pool, question.owner, question.token);
  if (!held) {
    return without(Verdict::Kind::not_held, pool);
  }
  const Lease lease = held->lease();
  books_.ended(pool, *held, now);
  hand_over_soon();
  Verdict verdict = table_.release(pool, *held);
  if (!question.undelivered) {
    rulings_.released(pool, lease, question, now);
  }
  verdict.stored = books_.gathering();
  return verdict;
}

Verdict SqliteBackend::decide(const Renew& question, Time now) {
  now_ = now;
  LeasePool& pool = open(question.pool, now);
  if (trouble_) {
    return failed();
  }
  HeldLease* held = LeaseTable::find(pool, question.owner, question.token);
  if (!held) {
    return without(Verdict::Kind::lost, pool);
  }
  const auto length = held->length;
  const auto ends = held->ends;
  table_.renew(pool, *held, question.length, now);
  books_.renewed(pool, *held, length, ends, now);
  hand_over_soon();
  Verdict verdict = LeaseTable::found(Verdict::Kind::renewed, *held);
  verdict.stored = books_.gathering();
  return verdict;
}

Verdict SqliteBackend::decide(const Order& order, Time now) {
  now_ = now;
  if (trouble_) {
    return failed();
  }
  switch (order.kind) {
    case Order::Kind::freeze:
      return rulings_.freeze(order, now);
    case Order::Kind::thaw:
      return rulings_.thaw(order, now);
    case Order::Kind::evict:
      return evict(order, now);
  }
  return {};
}

Verdict SqliteBackend::evict(const Order& order, Time now) {
  LeasePool& pool = open(order.pool, now);
  HeldLease* held = LeaseTable::find(pool, order.token);
  if (!held) {
    return without(Verdict::Kind::not_held, pool);
  }
  const Happening happening = LeaseTable::evicted(pool, *held, order, now);
  books_.ended(pool, *held, now);
  hand_over_soon();
  const Lease lease = held->lease();
  (void)table_.release(pool, *held);
  sink_.happened(happening, books_.gathering());
  rulings_.cut(pool, lease, now, "evicted", now);
  Verdict verdict = LeaseTable::without(Verdict::Kind::done);
  verdict.owner = happening.owner;
  verdict.stored = books_.gathering();
  return verdict;
}

void SqliteBackend::expired(LeasePool& pool, const HeldLease& held) {
  books_.ended(pool, held, now_);
  hand_over_soon();
  const Lease lease = held.lease();
  sink_.expired(pool.name, lease, books_.gathering());
  rulings_.cut(pool, lease, *lease.ends, "its lock ended by time", now_);
}

}  // namespace distributex
