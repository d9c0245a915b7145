// SPDX-License-Identifier: MIT
// What operators do to leases in etcd. A lease is evicted by its token, whichever
// server granted it; a pool cannot be frozen, for nothing in etcd says so yet to the
// other servers.
#include <algorithm>

#include "backends/etcd/core.h"

namespace distributex {

namespace {

constexpr std::chrono::milliseconds order_limit{3000};

}  // namespace

void EtcdCore::order(const Order& order, Time now) {
  Verdict verdict;
  if (order.kind != Order::Kind::evict) {
    verdict.kind =
        order.kind == Order::Kind::thaw ? Verdict::Kind::not_held : Verdict::Kind::failed;
    verdict.reason = "pools cannot be frozen with backend: etcd";
    decided_.emplace_back(order.op, verdict);
    return settle_down(now);
  }
  const EtcdPool* pool = world_.mirror.find(order.pool);
  const EtcdLease* lease = nullptr;
  if (pool && world_.is_ready) {
    const auto it = std::find_if(pool->leases.begin(), pool->leases.end(), [&](const auto& each) {
      return each.second.token() == order.token;
    });
    lease = it == pool->leases.end() ? nullptr : &it->second;
  }
  if (lease) {
    return evict(order, *lease, now);
  }
  verdict.kind = world_.is_ready ? Verdict::Kind::not_held : Verdict::Kind::failed;
  verdict.reason = "etcd: no answer yet";
  decided_.emplace_back(order.op, verdict);
  settle_down(now);
}

// By its grant, which no renewal changes. After an unknown outcome the operator asks
// again: the second time is not_held, or does it.
void EtcdCore::evict(const Order& order, const EtcdLease& lease, Time now) {
  const std::string key = world_.keys.lease(order.pool, lease.owner);
  EtcdTxn txn{
      .compares = {if_create(key, lease.create)}, .success = {EtcdDelete{key}}, .failure = {}};
  ask(std::move(txn), order_limit, [this, order, lease](const EtcdReply& reply, Time at) {
    Verdict verdict;
    verdict.reason = "etcd: " + reply.reason;
    if (reply.outcome == EtcdOutcome::answered) {
      verdict.kind = reply.answer.succeeded ? Verdict::Kind::done : Verdict::Kind::not_held;
    }
    if (verdict.kind == Verdict::Kind::done) {
      verdict.owner = lease.owner;
      verdict.token = order.token;
      happened_.push_back({.kind = Happening::Kind::evicted,
                           .pool = order.pool,
                           .owner = lease.owner,
                           .token = order.token,
                           .reason = order.reason,
                           .by = order.by,
                           .held = at - world_.shown(order.pool, lease, at).since});
      world_.note_removal(order.pool, lease, reply.answer.revision);
      world_.news.push_back({.pool = order.pool});
    }
    decided_.emplace_back(order.op, verdict);
  });
  settle_down(now);
}

}  // namespace distributex
