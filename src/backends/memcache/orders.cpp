// SPDX-License-Identifier: MIT
// Sends orders of operators to the workers, and takes the freezes that the workers read.
#include <utility>

#include "backends/memcache/backend.h"
#include "backends/rests.h"
#include "base/clock.h"
#include "base/pattern.h"

namespace distributex {

// A freeze is written to every memcached: its pattern may match pools of all of them, even
// pools that are not configured yet. A thaw resets the count of failed runs of each matching
// pool that this server knows.
void MemcacheBackend::order(const Order& order, Time now) {
  OpenOrder& open = orders_[order.op];
  open.order = order;
  open.verdict.kind = Verdict::Kind::not_held;
  overdue_.emplace_back(now + timeout_, order.op);
  switch (order.kind) {
    case Order::Kind::freeze:
    case Order::Kind::thaw:
      return post_to_all(open, now);
    case Order::Kind::evict: {
      MemcachePool& pool = pool_of(order.pool);
      pool.ref.width = std::max(pool.ref.width, order.slots);
      open.open = 1;
      return server_of_pool(pool).worker().post({order, pool.ref, now + timeout_});
    }
  }
}

void MemcacheBackend::post_to_all(OpenOrder& open, Time now) {
  const Order& order = open.order;
  open.open = servers_.size();
  std::vector<std::vector<std::string>> thawed(servers_.size());
  if (order.kind == Order::Kind::thaw) {
    for (const auto& [name, pool] : pools_) {
      if (matches(order.pool, name)) {
        thawed[pool.server].push_back(name);
      }
    }
  }
  for (size_t i = 0; i < servers_.size(); i++) {
    servers_[i]->worker().post({order, {}, now + timeout_, std::move(thawed[i])});
  }
}

// The order ends when all memcacheds have answered. It failed if one failed. A thaw is done
// if at least one memcached had a freeze to thaw.
void MemcacheBackend::order_done(size_t server, OpenOrder& open, const OpDone& done, Time now) {
  Verdict& verdict = open.verdict;
  if (done.answer.kind == Verdict::Kind::failed) {
    verdict.kind = Verdict::Kind::failed;
    verdict.reason = servers_[server]->sentence(done.reason);
  } else {
    servers_[server]->note_alive(now);
    if (verdict.kind == Verdict::Kind::not_held) {
      verdict.kind = done.answer.kind;
    }
  }
  if (open.order.kind == Order::Kind::evict && done.answer.kind == Verdict::Kind::done) {
    verdict.owner = done.answer.lease.owner;
    evicted(open, done, now);
  }
  if (--open.open != 0) {
    return;
  }
  const auto node = orders_.extract(done.op);
  sink_.decided(done.op, node.mapped().verdict);
}

void MemcacheBackend::evicted(const OpenOrder& open, const OpDone& done, Time now) {
  MemcachePool& pool = pool_of(open.order.pool);
  const Lease lease = lease_of(pool, done.answer.lease, now);
  ends_.drop(done.answer.lease.nonce);
  pool.drop(lease.token);
  pool.poll.reset();
  sink_.happened({.kind = Happening::Kind::evicted,
                  .pool = open.order.pool,
                  .owner = lease.owner,
                  .token = lease.token,
                  .reason = open.order.reason,
                  .by = open.order.by,
                  .held = now - lease.since},
                 0);
  begin_rest(pool, done.answer.rest, now);
}

// This server opens the slot at the exact time; if it has died, memcached drops the item a
// little later.
void MemcacheBackend::begin_rest(MemcachePool& pool, const std::optional<SlotLease>& rest,
                                 Time now) {
  if (!rest) {
    return;
  }
  pool.add(*rest);
  Lease lease = lease_of(pool, *rest, now);
  lease.ends = now + rest->length;
  const Rest shown{
      .owner = rest->owner, .token = rest->token, .ends = *lease.ends, .why = *rest->rest};
  ends_.put({pool.ref.name, std::move(lease), rest->nonce, true});
  sink_.happened(rested(pool.ref.name, shown, now), 0);
}

// Removes nothing from memcached, for other servers may use the pool.
void MemcacheBackend::forget(const std::string& pool) {
  const auto it = pools_.find(pool);
  if (it == pools_.end() || it->second.configured || !it->second.seen().empty()) {
    return;
  }
  for (const auto& [op, asked] : ops_) {
    if (asked == &it->second) {
      return;
    }
  }
  pools_.erase(it);
}

void MemcacheBackend::set_delays(MemcachePool& pool) {
  const PoolSpec* spec = specs_.find(pool.ref.name);
  const PoolSpec none;
  const PoolSpec& from = spec ? *spec : none;
  pool.ref.min_hold = from.min_hold;
  pool.ref.release_delay = from.release_delay;
  pool.ref.lock_delay = from.lock_delay;
  pool.ref.freeze_after = from.freeze_after;
}

// If a memcached carries the order out later, the worker sees it when it reads the freezes.
void MemcacheBackend::abandon_order(OpId op) {
  for (size_t i = 0; i < servers_.size() && orders_.contains(op); i++) {
    if (!servers_[i]->worker().abandon(op)) {
      collect(i);
    }
  }
  auto node = orders_.extract(op);
  if (node.empty()) {
    return;
  }
  Verdict verdict;
  verdict.reason = servers_.front()->sentence("no answer in time");
  sink_.decided(op, verdict);
}

// The operator whose thaw is under way at this server; empty: none.
std::string MemcacheBackend::thawing() const {
  for (const auto& [op, open] : orders_) {
    if (open.order.kind == Order::Kind::thaw) {
      return open.order.by;
    }
  }
  return {};
}

void MemcacheBackend::apply(size_t server, FreezesSeen& seen, Time) {
  std::vector<std::string> before;
  for (const Freeze& freeze : freezes_->all()) {
    before.push_back(freeze.pool);
  }
  for (const Happening& happening : freezes_->see(server, seen.freezes, thawing())) {
    sink_.happened(happening, 0);
  }
  for (const std::string& pattern : before) {
    pools_changed(server, pattern);
  }
}

// Calls changed() for each matching pool that no freeze holds any more, so that the engine
// asks again for its waiters.
void MemcacheBackend::pools_changed(size_t server, std::string_view pattern) {
  std::vector<std::string> names;
  for (auto& [name, pool] : pools_) {
    if (pool.server == server && matches(pattern, name) && !freezes_->find(server, name)) {
      pool.poll.reset();
      names.push_back(name);
    }
  }
  for (const std::string& name : names) {
    sink_.changed(name);
  }
}

size_t MemcacheBackend::server_of_name(std::string_view name) const {
  const auto it = pools_.find(name);
  return it == pools_.end() ? server_of(std::string(name), servers_.size()) : it->second.server;
}

const Freeze* MemcacheBackend::frozen(std::string_view pool) const {
  return freezes_->find(server_of_name(pool), pool);
}

void MemcacheBackend::end_freezes(Time now) {
  std::vector<Happening> news;
  for (const auto& ended : freezes_->end_due(now, news)) {
    pools_changed(ended.server, ended.pool);
  }
  for (const Happening& happening : news) {
    sink_.happened(happening, 0);
  }
}

}  // namespace distributex
