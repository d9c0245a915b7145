// SPDX-License-Identifier: MIT
// What the engine asks the backend. Each question has an op id, and the verdict on the
// question carries the same id. engine.cpp decides when to ask.
#include <algorithm>
#include <cassert>

#include "engine/engine.h"

namespace distributex {

namespace {

// The length of a lease: the client may ask for less than the pool gives, not for more.
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
  Op& question = ops_[op];
  question.kind = kind;
  question.pool = &pool;
  question.waiter = waiter;
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
  Acquire& question = effects_.add<Acquire>();
  question.op = pool.acquire;
  question.pool = pool.spec.name;
  question.owner = waiter->owner;
  question.slots = pool.spec.maxlocks;
  question.length = lease_length(pool.spec, waiter->expire, waiter->ends_with_connection);
  question.find_only = kind == Kind::find;
  question.note = waiter->note;
  question.patient = waiter->verb == Verb::wait;
  question.since = waiter->since;
  question.next_since = next_since;
  question.waiting = pool.by_owner.size();
}

// Asks about a lease that was granted before: Release or Renew.
template <typename Question>
Question& Engine::ask(Kind kind, EnginePool& pool, const Owner& owner, std::optional<Token> token,
                      std::optional<Line::iterator> waiter) {
  Question& question = effects_.add<Question>();
  question.op = open_op(kind, pool, waiter);
  question.pool = pool.spec.name;
  question.owner = owner;
  question.token = token;
  question.slots = pool.spec.maxlocks;
  return question;
}

void Engine::ask_about_lease(Line::iterator waiter) {
  EnginePool& pool = *waiter->pool;
  switch (waiter->verb) {
    case Verb::release: {
      Release& question = ask<Release>(Kind::release, pool, waiter->owner, waiter->token, waiter);
      question.outcome = waiter->outcome;
      question.status = waiter->status;
      return;
    }
    case Verb::renew: {
      Renew& question = ask<Renew>(Kind::renew, pool, waiter->owner, waiter->token, waiter);
      if (waiter->expire) {
        question.length = lease_length(pool.spec, waiter->expire, false);
      }
      return;
    }
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
  ask<Release>(Kind::give_back, pool, owner, token, std::nullopt).undelivered = true;
}

}  // namespace distributex
