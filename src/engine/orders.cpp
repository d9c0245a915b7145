// SPDX-License-Identifier: MIT
// Orders of operators. The backend carries an order out and reports the pools that the
// order changed. The engine answers the request, and asks again for the waiters of a pool
// whose lease was evicted.
#include <cassert>
#include <utility>

#include "engine/engine.h"

namespace distributex {

namespace {

Order::Kind kind_of(Verb verb) {
  switch (verb) {
    case Verb::freeze:
      return Order::Kind::freeze;
    case Verb::thaw:
      return Order::Kind::thaw;
    case Verb::evict:
      return Order::Kind::evict;
    case Verb::get:
    case Verb::wait:
    case Verb::release:
    case Verb::renew:
      break;
  }
  assert(false);  // submit() calls with orders only
  return Order::Kind::freeze;
}

Result result_of(Order::Kind order, Verdict::Kind verdict) {
  const bool is_done = verdict == Verdict::Kind::done;
  if (!is_done && verdict != Verdict::Kind::not_held) {
    return Result::unavailable;
  }
  switch (order) {
    case Order::Kind::freeze:
      return is_done ? Result::frozen : Result::unavailable;
    case Order::Kind::thaw:
      return is_done ? Result::thawed : Result::not_frozen;
    case Order::Kind::evict:
      return is_done ? Result::evicted : Result::no_lease;
  }
  return Result::unavailable;
}

}  // namespace

void Engine::submit_order(Ticket ticket, Command&& command, Time now) {
  const EnginePool* pool = find(command.pool);
  Order& order = effects_.add<Order>();
  order.op = ++last_op_;
  order.kind = kind_of(command.verb);
  order.pool = command.pool;
  order.reason = std::move(command.reason);
  order.by = std::move(command.by);
  order.lasts = command.lasts;
  order.token = command.token.value_or(0);
  order.slots = pool ? pool->spec.maxlocks : 1;
  orders_.emplace(order.op, AskedOrder{.ticket = ticket,
                                       .verb = command.verb,
                                       .pool = std::move(command.pool),
                                       .token = order.token,
                                       .since = now});
}

// Returns false if the question was no order.
bool Engine::order_decided(OpId id, const Verdict& verdict, Time now) {
  const auto node = orders_.extract(id);
  if (node.empty()) {
    return false;
  }
  const AskedOrder& asked = node.mapped();
  const Result result = result_of(kind_of(asked.verb), verdict.kind);
  if (result == Result::evicted) {
    changed(asked.pool, now);
  }
  if (!asked.ticket) {
    return true;
  }
  Answer& answer = open_answer(*asked.ticket, asked.verb, asked.since);
  answer.result = result;
  answer.pool = asked.pool;
  answer.owner = verdict.owner;
  answer.error = verdict.reason;
  answer.stored = verdict.stored;
  answer.ended = result == Result::evicted ? asked.token : 0;
  return true;
}

}  // namespace distributex
