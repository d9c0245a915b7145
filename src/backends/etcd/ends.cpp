// SPDX-License-Identifier: MIT
// Ends leases, rests and freezes whose time is over; tries again if that fails.
#include <cstdlib>

#include "backends/etcd/core.h"

namespace distributex {

namespace {

using std::chrono::milliseconds;

constexpr milliseconds attempt{700};
constexpr milliseconds retry_pause{200};
constexpr milliseconds conflict_pause{5};
constexpr size_t due_max = 64;  // ends under way at once

}  // namespace

void EtcdCore::end_due(Time now) {
  if (!world_.is_ready) {
    return;
  }
  const auto due = world_.keeper.due(now);
  for (size_t i = 0; i < due.size() && i < due_max; i++) {
    end_lease(due[i], now);
  }
  const auto rested = world_.rest_keeper.due(now);
  for (size_t i = 0; i < rested.size() && i < due_max; i++) {
    end_rest(rested[i], now);
  }
  for (const EtcdStanding::Due& freeze : world_.mirror.standing().due(now)) {
    end_freeze(freeze, now);
  }
}

void EtcdCore::end_lease(const EtcdDue& due, Time now) {
  world_.keeper.postpone(due, now + attempt + retry_pause);
  EtcdLease lease{.owner = due.owner, .value = {}, .create = due.mod, .mod = due.mod};
  if (const EtcdLease* seen = world_.mirror.find(due.pool, due.owner)) {
    lease = *seen;
  }
  if (const EtcdKept* kept = world_.keeper.find(due.pool, due.owner)) {
    lease.value.offset = kept->token - lease.create;
  }
  lease.mod = due.mod;
  EtcdRemoval removal;
  EtcdTxn txn = removal.ask(world_, due.pool, lease,
                            if_mod(world_.keys.lease(due.pool, due.owner), due.mod), {}, now);
  ask(std::move(txn), attempt, [this, due, removal](const EtcdReply& reply, Time at) mutable {
    if (reply.outcome != EtcdOutcome::answered) {
      return world_.keeper.postpone(due, at + retry_pause);
    }
    if (removal.take(world_, reply.answer, at)) {
      (due.is_kept ? world_.counts.ended_kept : world_.counts.ended_seen)++;
    } else if (removal.look().lease && removal.look().lease->mod == due.mod) {
      world_.keeper.postpone(due, at + conflict_pause);
    }
  });
}

// Does not wake waiters: the watch does, when the mirror no longer shows the rest.
void EtcdCore::end_rest(const EtcdDue& due, Time now) {
  world_.rest_keeper.postpone(due, now + attempt + retry_pause);
  const Token token = std::strtoull(due.owner.id.c_str(), nullptr, 10);
  const std::string key = world_.keys.rest(due.pool, token);
  EtcdTxn txn{.compares = {if_mod(key, due.mod)}, .success = {EtcdDelete{key}}, .failure = {}};
  ask(std::move(txn), attempt, [this, due](const EtcdReply& reply, Time at) {
    if (reply.outcome != EtcdOutcome::answered) {
      return world_.rest_keeper.postpone(due, at + retry_pause);
    }
    world_.rest_keeper.gone(due.pool, due.owner, reply.answer.revision);
    if (reply.answer.succeeded) {
      world_.note_owed(reply.answer.revision);
    }
  });
}

// A server that does not know yet that the freeze has ended grants nothing.
void EtcdCore::end_freeze(const EtcdStanding::Due& due, Time now) {
  world_.mirror.standing().postpone(due, now + attempt + retry_pause);
  const std::string key = world_.keys.freeze(due.name);
  EtcdTxn txn{.compares = {if_mod(key, due.mod)}, .success = {EtcdDelete{key}}, .failure = {}};
  ask(std::move(txn), attempt, [this, due](const EtcdReply& reply, Time at) {
    if (reply.outcome != EtcdOutcome::answered) {
      world_.mirror.standing().postpone(due, at + retry_pause);
    } else if (reply.answer.succeeded) {
      world_.note_owed(reply.answer.revision);
    }
  });
}

}  // namespace distributex
