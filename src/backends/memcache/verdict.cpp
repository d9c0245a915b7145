// SPDX-License-Identifier: MIT
// Turns a worker's answer into the engine's verdict, the lease's end by this server's clock,
// and the moment of the next look at the pool.
#include <algorithm>

#include "backends/memcache/backend.h"
#include "base/clock.h"

namespace distributex {

namespace {

using std::chrono::microseconds;

// How much of a call's time may be added to a lease. memcached counts two seconds more than
// the lease (life_of()) and may be one early, so below a second it never drops the item
// before the end.
constexpr std::chrono::milliseconds late_answer{900};

}  // namespace

Verdict MemcacheBackend::verdict_of(MemcachePool& pool, const SlotAnswer& answer, Time now) {
  Verdict verdict;
  verdict.kind = answer.kind;
  verdict.token = answer.lease.token;
  switch (answer.kind) {
    case Verdict::Kind::granted:
      pool.see(answer.seen);
      start_lease(pool, answer, verdict, now);
      pool.poll.reset();
      verdict.retry_at = answer.more_free ? now : retry_at(pool, now);
      break;
    case Verdict::Kind::held:
      pool.see(answer.seen);
      verdict.ends = lease_of(pool, answer.lease, now).ends;
      break;
    case Verdict::Kind::full:
      pool.see(answer.seen);
      pool.full = true;
      if (const Freeze* freeze = freezes_->find(pool.server, pool.ref.name)) {
        verdict.retry_at = freeze->until;
      } else {
        verdict.retry_at = retry_at(pool, now);
      }
      break;
    case Verdict::Kind::renewed:
      ends_.drop(answer.nonce_before);
      pool.replace(answer.nonce_before, answer.lease);
      start_lease(pool, answer, verdict, now);
      break;
    case Verdict::Kind::released:
      verdict.since = lease_of(pool, answer.lease, now).since;
      ends_.drop(answer.lease.nonce);
      pool.drop(answer.lease.nonce);
      pool.poll.reset();
      begin_rest(pool, answer.rest, now);
      break;
    case Verdict::Kind::not_held:
    case Verdict::Kind::lost:
    case Verdict::Kind::failed:
    case Verdict::Kind::done:
      break;
  }
  refuse_ended(verdict, now);
  return verdict;
}

// If this process stood still, a lease may have ended before its client could be told, and
// its slot may have another holder by now: answer "lost" or "full". tick() removes what is
// left of the lease, as at the end of any other.
void MemcacheBackend::refuse_ended(Verdict& verdict, Time now) {
  if (!verdict.ends || *verdict.ends > now) {
    return;
  }
  if (verdict.kind == Verdict::Kind::renewed) {
    verdict.kind = Verdict::Kind::lost;
  }
  if (verdict.kind != Verdict::Kind::granted) {
    return;
  }
  verdict.kind = Verdict::Kind::full;
  verdict.retry_at = now;
}

// A lease's time starts when the answer comes, but at most late_answer after the command was
// sent: memcached counts from a moment between the two.
void MemcacheBackend::start_lease(MemcachePool& pool, const SlotAnswer& answer, Verdict& verdict,
                                  Time now) {
  if (answer.lease.length.count() == 0) {
    return;
  }
  verdict.ends = std::min(now, answer.started + late_answer) + answer.lease.length;
  Lease lease = lease_of(pool, answer.lease, now);
  lease.ends = verdict.ends;
  ends_.put({pool.ref.name, std::move(lease), answer.lease.nonce});
}

// When to look at the pool again: after the pause, or at the first known end.
Time MemcacheBackend::retry_at(MemcachePool& pool, Time now) {
  Time at = now + pool.poll.next(pool.seen());
  for (const SlotLease& slot : pool.seen()) {
    const auto ends = slot.is_claim() ? std::nullopt : lease_of(pool, slot, now).ends;
    if (ends && *ends > now) {
      at = std::min(at, *ends);
    }
  }
  return at;
}

// The server that wrote a lease last knows exactly when it ends; other servers compute the
// end by the wall clock.
Lease MemcacheBackend::lease_of(const MemcachePool& pool, const SlotLease& slot, Time now) const {
  const auto shared =
      static_cast<int64_t>(wall_us()) + servers_[pool.server]->clock_apart() * 1'000'000;
  const auto age_of = [&](uint64_t since) {
    return microseconds(std::max<int64_t>(0, shared - static_cast<int64_t>(since)));
  };
  Lease lease{
      .owner = slot.owner, .token = slot.token, .since = now - age_of(slot.granted_us), .ends = {}};
  if (const EndingLease* own = ends_.find(slot.nonce)) {
    lease.ends = own->lease.ends;
  } else if (slot.length.count() != 0) {
    lease.ends = now - age_of(slot.started_us) + slot.length;
  }
  return lease;
}
}  // namespace distributex
