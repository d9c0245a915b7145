// SPDX-License-Identifier: MIT
// How waiters are answered and removed: one waiter, all waiters of a holder, all of a
// pool. And the promises: grants whose answer was made, but not yet delivered. The rules
// that decide are in engine.cpp.
#include "engine/engine.h"
#include "engine/rules.h"

namespace distributex {

void Engine::move(Line::iterator waiter, Line& to, Line::const_iterator before) {
  EnginePool& pool = *waiter->pool;
  if (waiter->in == &pool.line) {
    pool.turns.erase(waiter->turn);
  }
  to.splice(before, *waiter->in, waiter);
  waiter->in = &to;
}

void Engine::leave(Line::iterator waiter) {
  EnginePool& pool = *waiter->pool;
  if (waiter->op) {
    Op& op = ops_.at(waiter->op);
    op.waiter.reset();
    op.owner = waiter->owner;
  }
  if (waiter->in != &running_) {
    pool.by_owner.erase(waiter->by_owner);
    if (waiter->in == &pool.line) {
      pool.turns.erase(waiter->turn);
    }
    if (waiter->gives_up != never) {
      timeouts_.erase({waiter->gives_up, waiter->ticket});
    }
  }
  waiters_.erase(waiter->ticket);
  waiter->in->erase(waiter);
}

// Remembers the place of a waiter that leaves without the lock, so that its owner may
// come back to that place.
void Engine::keep_place(const Waiter& waiter, Time now) {
  if (waiter.verb != Verb::wait || waiter.gives_up <= waiter.since) {
    return;
  }
  waiter.pool->places.keep(waiter.owner, waiter.turn, now + waiter.comes_back_within, max_waiting_,
                           now);
}

// Makes an Answer inside the effects, because moving one is expensive. The caller fills
// it in and then calls close_answer(); for a ticket without a waiter filling in is all.
Answer& Engine::open_answer(Ticket ticket, Verb verb, Time since) {
  Answered& answered = effects_.add<Answered>();
  answered.ticket = ticket;
  answered.verb = verb;
  answered.since = since;
  return answered.answer;
}

Answer& Engine::open_answer(const Waiter& waiter) {
  return open_answer(waiter.ticket, waiter.verb, waiter.since);
}

void Engine::answer(Line::iterator waiter, Answer&& refusal) {
  Answer& out = open_answer(*waiter);
  out = std::move(refusal);
  close_answer(waiter, out);
}

// Completes the answer and removes the waiter.
void Engine::close_answer(Line::iterator waiter, Answer& out) {
  EnginePool& pool = *waiter->pool;
  out.pool = pool.spec.name;
  out.owner = waiter->owner;
  out.door = waiter->door;
  if (out.result == Result::granted || out.result == Result::held) {
    pool.places.forget(out.owner);
  }
  promise(pool, waiter->ticket, out);
  leave(waiter);
}

void Engine::answer_all(EnginePool& pool, const Answer& out) {
  for (Line* line : {&pool.asked, &pool.line, &pool.fresh}) {
    while (!line->empty()) {
      answer(line->begin(), Answer(out));
    }
  }
}

void Engine::set_access(Access access, const std::function<Identity(Ticket)>& who_is, Time now) {
  access_ = std::move(access);
  std::vector<std::pair<Ticket, Answer>> refused;
  for (const auto& [ticket, waiter] : waiters_) {
    if (waiter->in == &running_) {
      continue;  // a release or renewal: it was allowed when it was asked
    }
    auto denied = access_.refuses_lock(who_is(ticket), waiter->pool->spec.name, waiter->owner.host);
    if (denied) {
      Refusal refusal = to_refusal(std::move(*denied));
      Answer out;
      out.result = refusal.result;
      out.fault = refusal.fault;
      out.error = std::move(refusal.error);
      refused.emplace_back(ticket, std::move(out));
    }
  }
  std::sort(refused.begin(), refused.end(),
            [](const auto& a, const auto& b) { return a.first < b.first; });
  for (auto& [ticket, out] : refused) {
    const Line::iterator waiter = waiters_.at(ticket);
    EnginePool& pool = *waiter->pool;
    answer(waiter, std::move(out));
    settle(pool, now);
  }
}

// Remembers that an answer tells a ticket of this lease. An answer `held` counts only
// while the answer `granted` of the same lease may still fail to arrive.
void Engine::promise(EnginePool& pool, Ticket ticket, const Answer& out) {
  if (out.result != Result::granted && out.result != Result::held) {
    return;
  }
  auto it = pool.promises.find(out.token);
  if (it == pool.promises.end()) {
    if (out.result == Result::held) {
      return;
    }
    it = pool.promises.emplace(out.token, Promise{.owner = out.owner}).first;
  }
  ++it->second.open;
  promised_.emplace(ticket, std::pair{&pool, out.token});
}

void Engine::delivered(Ticket ticket, Time now) { close_promise(ticket, true, now); }

std::optional<Left> Engine::cancel(Ticket ticket, Time now) {
  const auto it = waiters_.find(ticket);
  if (it == waiters_.end()) {
    close_promise(ticket, false, now);
    for (auto& [op, order] : orders_) {
      if (order.ticket == ticket) {
        order.ticket.reset();
      }
    }
    return std::nullopt;
  }
  const Waiter& waiter = *it->second;
  EnginePool& pool = *waiter.pool;
  std::optional<Left> left;
  if (waiter.in != &running_) {
    left = Left{waiter.verb, waiter.since, pool.spec.name, waiter.owner};
  }
  keep_place(waiter, now);
  leave(it->second);
  settle(pool, now);
  return left;
}

void Engine::close_promise(Ticket ticket, bool arrived, Time now) {
  const auto node = promised_.extract(ticket);
  if (node.empty()) {
    return;
  }
  const auto [pool, token] = node.mapped();
  Promise& promise = pool->promises.at(token);
  promise.kept = promise.kept || arrived;
  if (--promise.open != 0) {
    return;
  }
  // The pending acquire of the same owner may end with the verdict that this lease is held.
  if (!promise.kept && asks_for(*pool, promise.owner)) {
    return pool->unheard.push_back(token);
  }
  end_promise(*pool, token);
  settle(*pool, now);
}

bool Engine::asks_for(const EnginePool& pool, const Owner& owner) const {
  if (!pool.acquire) {
    return false;
  }
  const Op& op = ops_.at(pool.acquire);
  return owner == (op.waiter ? (*op.waiter)->owner : op.owner);
}

void Engine::end_promise(EnginePool& pool, Token token) {
  const auto node = pool.promises.extract(token);
  const Promise& promise = node.mapped();
  if (!promise.kept) {
    give_back(pool, promise.owner, token);
  }
}

// The acquire is decided. If no pending answer can announce one of these leases
// any more, give the lease back.
void Engine::end_unheard(EnginePool& pool) {
  for (const Token token : std::exchange(pool.unheard, {})) {
    if (pool.promises.at(token).open == 0) {
      end_promise(pool, token);
    }
  }
}

}  // namespace distributex
