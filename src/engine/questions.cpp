// SPDX-License-Identifier: MIT
// What the engine asks the backend: one question for each op, which the verdict
// brings back. When to ask is decided in engine.cpp.
#include <algorithm>
#include <cassert>

#include "engine/engine.h"

namespace distributex {

namespace {

// The shorter of what the pool gives and what was asked for.
std::optional<std::chrono::seconds> lease_length(const PoolSpec& pool,
                                                 std::optional<std::chrono::seconds> asked,
                                                 bool ends_with_connection) {
  if (pool.expire == std::chrono::seconds{0}) {
    return ends_with_connection ? asked : std::nullopt;
  }
  return asked ? std::min(*asked, pool.expire) : pool.expire;
}

}  // namespace

OpId Engine::open_op(Kind kind, EnginePool& pool, std::optional<Line::iterator> waiter) {
  const OpId op = ++last_op_;
  ops_.emplace(op, Op{.kind = kind, .pool = &pool, .waiter = waiter, .owner = {}});
  ++pool.ops;
  if (waiter) {
    (*waiter)->op = op;
  }
  return op;
}

void Engine::ask_for_slot(EnginePool& pool, Line::iterator waiter, Kind kind) {
  move(waiter, pool.asked, pool.asked.end());
  pool.acquire = open_op(kind, pool, waiter);
  pool.again = false;
  std::optional<Time> next_since;
  if (!pool.line.empty()) {
    next_since = pool.line.front().since;
  } else if (!pool.fresh.empty() && pool.fresh.front().verb == Verb::wait) {
    next_since = pool.fresh.front().since;
  }
  effects_.emplace_back(
      Acquire{.op = pool.acquire,
              .pool = pool.spec.name,
              .owner = waiter->owner,
              .slots = pool.spec.maxlocks,
              .length = lease_length(pool.spec, waiter->expire, waiter->ends_with_connection),
              .find_only = kind == Kind::find,
              .note = waiter->note,
              .patient = waiter->verb == Verb::wait,
              .since = waiter->since,
              .next_since = next_since,
              .waiting = pool.by_owner.size()});
}

void Engine::ask_about_lease(Line::iterator waiter) {
  EnginePool& pool = *waiter->pool;
  switch (waiter->verb) {
    case Verb::release:
      effects_.emplace_back(Release{.op = open_op(Kind::release, pool, waiter),
                                    .pool = pool.spec.name,
                                    .owner = waiter->owner,
                                    .token = waiter->token,
                                    .slots = pool.spec.maxlocks,
                                    .outcome = waiter->outcome,
                                    .status = waiter->status});
      return;
    case Verb::renew:
      effects_.emplace_back(Renew{
          .op = open_op(Kind::renew, pool, waiter),
          .pool = pool.spec.name,
          .owner = waiter->owner,
          .token = waiter->token,
          .length = waiter->expire ? lease_length(pool.spec, waiter->expire, false) : std::nullopt,
          .slots = pool.spec.maxlocks});
      return;
    case Verb::get:
    case Verb::wait:
    case Verb::freeze:
    case Verb::thaw:
    case Verb::evict:
      assert(false && "only a release and a renewal ask about a lease");
      return;
  }
}

void Engine::give_back(EnginePool& pool, const Owner& owner, Token token) {
  effects_.emplace_back(Release{.op = open_op(Kind::give_back, pool, std::nullopt),
                                .pool = pool.spec.name,
                                .owner = owner,
                                .token = token,
                                .slots = pool.spec.maxlocks,
                                .undelivered = true});
}

}  // namespace distributex
