// SPDX-License-Identifier: MIT
// The verdicts of the backend: each leads to an answer, to a place in the line, or to a
// lease that is given back. The invariants are in engine.cpp.
#include <algorithm>
#include <cassert>

#include "engine/engine.h"
#include "engine/rules.h"

namespace distributex {

namespace {

// After the verdict full the pool is asked again at the earliest so much later, even if
// the backend names an earlier time.
constexpr auto shortest_retry = std::chrono::milliseconds{1};

Result result_of(Verdict::Kind kind) {
  switch (kind) {
    case Verdict::Kind::granted:
      return Result::granted;
    case Verdict::Kind::held:
      return Result::held;
    case Verdict::Kind::full:
      return Result::busy;
    case Verdict::Kind::released:
      return Result::released;
    case Verdict::Kind::not_held:
      return Result::not_held;
    case Verdict::Kind::renewed:
      return Result::renewed;
    case Verdict::Kind::lost:
      return Result::lost;
    case Verdict::Kind::failed:
    case Verdict::Kind::done:  // the verdict on an order, see orders.cpp
      return Result::unavailable;
  }
  return Result::unavailable;
}

void fill_answer(Answer& answer, Result result, const Verdict& verdict, Time now) {
  answer.result = result;
  answer.error = verdict.reason;
  answer.stored = verdict.stored;
  if (result == Result::granted || result == Result::held || result == Result::renewed) {
    answer.token = verdict.token;
    if (verdict.ends) {
      answer.expires_in = std::max(*verdict.ends - now, Duration::zero());
    }
  }
  if (result == Result::released) {
    answer.ended = verdict.token;
    if (verdict.since) {
      answer.held = now - *verdict.since;
    }
  }
}

}  // namespace

void Engine::decided(OpId id, const Verdict& verdict, Time now) {
  if (!orders_.empty() && order_decided(id, verdict, now)) {
    return;
  }
  auto node = ops_.extract(id);
  assert(!node.empty());
  if (node.empty()) {
    return;
  }
  Op& op = node.mapped();
  EnginePool& pool = *op.pool;
  --pool.ops;
  if (op.waiter) {
    (*op.waiter)->op = 0;
  }
  switch (op.kind) {
    case Kind::take:
    case Kind::find:
      slot_decided(pool, op, verdict, now);
      end_unheard(pool);
      break;
    case Kind::release:
    case Kind::renew:
    case Kind::give_back:
      lease_decided(op, verdict, now);
      break;
  }
  settle(pool, now);
}

void Engine::slot_decided(EnginePool& pool, Op& op, const Verdict& verdict, Time now) {
  assert(pool.acquire != 0);
  pool.acquire = 0;
  const bool has_others = pool.by_owner.size() > 1;  // one may have the same owner
  if (op.waiter && (has_others || verdict.kind == Verdict::Kind::held)) {
    op.owner = (*op.waiter)->owner;
  }
  switch (verdict.kind) {
    case Verdict::Kind::granted:
      return granted(pool, op, verdict, now);
    case Verdict::Kind::held:
      return answer_owner(pool, op.owner, verdict, now);
    case Verdict::Kind::full:
      return full(pool, op, verdict, now);
    case Verdict::Kind::failed:
    case Verdict::Kind::released:
    case Verdict::Kind::not_held:
    case Verdict::Kind::renewed:
    case Verdict::Kind::lost:
    case Verdict::Kind::done: {
      // Each other waiter of the pool would get the same verdict, one after the other.
      Answer failed;
      fill_answer(failed, Result::unavailable, verdict, now);
      return answer_all(pool, failed);
    }
  }
}

// The owner has a lease of the pool: answers all waiters of the owner there with held.
void Engine::answer_owner(EnginePool& pool, const Owner& owner, const Verdict& verdict, Time now) {
  for (auto it = pool.by_owner.lower_bound(owner);
       it != pool.by_owner.end() && (*it)->owner == owner; it = pool.by_owner.lower_bound(owner)) {
    Answer& out = open_answer(**it);
    fill_answer(out, Result::held, verdict, now);
    close_answer(waiters_.at((*it)->ticket), out);
  }
}

void Engine::granted(EnginePool& pool, const Op& op, const Verdict& verdict, Time now) {
  pool.retry_at = pool.again ? now : verdict.retry_at.value_or(never);
  if (!op.waiter) {
    return give_back(pool, op.owner, verdict.token);
  }
  Answer& out = open_answer(**op.waiter);
  fill_answer(out, Result::granted, verdict, now);
  close_answer(*op.waiter, out);
  if (!pool.by_owner.empty()) {  // there were others: slot_decided() has set op.owner
    answer_owner(pool, op.owner, verdict, now);
  }
}

void Engine::full(EnginePool& pool, const Op& op, const Verdict& verdict, Time now) {
  if (op.kind == Kind::take) {
    const Time soonest = now + shortest_retry;
    pool.retry_at = pool.again ? now : std::max(verdict.retry_at.value_or(never), soonest);
  }
  if (op.waiter) {
    join_line(pool, *op.waiter, op.kind, now);
  }
}

// A refused waiter that is patient joins the line at the place of its turn: the former head
// of the line becomes the head again, a newcomer goes to the end, unless its owner has come
// back to a remembered place. The bound counts only for Kind::find: with Kind::take the
// waiter was the head, or the line was empty.
void Engine::join_line(EnginePool& pool, Line::iterator waiter, Kind kind, Time now) {
  if (!is_patient(*waiter, now)) {
    keep_place(*waiter, now);
    const Result result = waiter->verb == Verb::wait ? Result::timeout : Result::busy;
    answer(waiter, refused_with(result, Fault::none, {}));
  } else if (kind == Kind::find && pool.line.size() >= max_waiting_) {
    answer(waiter, refused_with(Result::unavailable, Fault::none, too_many));
  } else {
    const auto behind = pool.turns.upper_bound(waiter->turn);
    move(waiter, pool.line, behind == pool.turns.end() ? pool.line.end() : behind->second);
    pool.turns.emplace_hint(behind, waiter->turn, waiter);
  }
}

void Engine::lease_decided(const Op& op, const Verdict& verdict, Time now) {
  EnginePool& pool = *op.pool;
  if (verdict.kind == Verdict::Kind::released) {
    make_due(pool, now);
  }
  // The new length may be shorter: then the slot is free earlier.
  if (verdict.kind == Verdict::Kind::renewed && verdict.ends) {
    pool.retry_at = std::min(pool.retry_at, *verdict.ends);
  }
  if (!op.waiter) {
    return;
  }
  Answer& out = open_answer(**op.waiter);
  fill_answer(out, result_of(verdict.kind), verdict, now);
  out.outcome = (*op.waiter)->outcome;
  out.status = (*op.waiter)->status;
  close_answer(*op.waiter, out);
}

}  // namespace distributex
