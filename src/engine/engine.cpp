// SPDX-License-Identifier: MIT
// The rules, and the order of events. Invariants:
//  1. every ticket gets exactly one answer; a ticket that is cancelled first gets none;
//  2. at most one acquire per pool is pending, and the line goes first: while the line has
//     a waiter, the engine asks for a newcomer only whether its owner has a lease already;
//  3. if the ticket of a grant is gone, the engine gives the lease back at once, by its
//     token; not if the verdict was held, or another ticket was told of the lease;
//  4. after the verdict full the engine does not ask for the head of the line again before
//     retry_at, a release through this engine or changed();
//  5. waiters are bounded; beyond the bound the engine refuses. It never refuses a release
//     or a renewal for that: each waits for one verdict only;
//  6. no event walks a list of all pools, holders or waiters; configure(), set_access()
//     and drain() may;
//  7. an answer that tells of a lease, its renewal or its end names the commit that stores
//     it (Answer.stored); Telling holds the answer back until that commit.
// What verdicts do is in verdicts.cpp.
#include "engine/engine.h"

#include <algorithm>
#include <cassert>
#include <iterator>

#include "base/pattern.h"
#include "engine/rules.h"

namespace distributex {

EnginePool* Engine::find(std::string_view name) const {
  if (found_ && found_->spec.name == name) {
    return found_;
  }
  const auto it = pools_.find(name);
  if (it == pools_.end()) {
    return nullptr;
  }
  found_ = it->second.get();
  return found_;
}

void Engine::erase(const EnginePool& pool) {
  found_ = nullptr;
  pools_.erase(pools_.find(pool.spec.name));
}

namespace {

// Copies the parts of the command that its waiter needs.
void fill(Waiter& waiter, Command& command) {
  waiter.owner = std::move(command.owner);
  waiter.comes_back_within = command.comes_back_within;
  waiter.expire = command.expire;
  waiter.token = command.token;
  waiter.note = std::move(command.note);
  waiter.ends_with_connection = command.ends_with_connection;
  waiter.door = command.door;
  waiter.verb = command.verb;
  waiter.outcome = command.outcome;
  waiter.status = command.status;
}

}  // namespace

void Engine::submit(Ticket ticket, Command&& command, Time now) {
  EnginePool* pool = find_or_make(command);
  const bool is_refused = refused_at_door(ticket, command, pool, now);
  if (is_refused || is_order(command.verb)) {
    if (pool) {
      note_idle(*pool);  // find_or_make() may have made the pool just now
    }
    return is_refused ? void() : submit_order(ticket, std::move(command), now);
  }

  assert(pool);  // the rules refuse a command whose pool is unknown
  const bool for_slot = gate_of(command.verb) == Gate::take;
  Line& line = for_slot ? pool->fresh : running_;
  Time gives_up = now;
  if (command.verb == Verb::wait) {
    const bool forever = !command.timeout || *command.timeout >= never - now;
    gives_up = forever ? never : now + *command.timeout;
  }
  Turn turn = ++last_turn_;
  if (gives_up > now) {
    if (const auto place = pool->places.take(command.owner, now)) {
      turn = *place;
    }
  }
  fill(line.emplace_back(), command);
  const auto waiter = std::prev(line.end());
  waiter->ticket = ticket;
  waiter->pool = pool;
  waiter->in = &line;
  waiter->turn = turn;
  waiter->since = now;
  waiter->gives_up = gives_up;
  assert(!waiters_.contains(ticket));
  waiters_.emplace(ticket, waiter);
  if (!for_slot) {
    return ask_about_lease(waiter);
  }
  waiter->by_owner = pool->by_owner.insert(&*waiter).first;
  if (is_patient(*waiter, now) && gives_up != never) {
    timeouts_.emplace(gives_up, ticket);
  }
  settle(*pool, now);
}

bool Engine::refused_at_door(Ticket ticket, const Command& command, const EnginePool* pool,
                             Time now) {
  const bool is_known = pool && !pool->removed;
  auto refusal =
      refused({.command = command,
               .access = access_,
               .is_own = is_own(ticket),
               .pool = is_known ? &pool->spec : nullptr,
               .newcomers = is_known ? pool->fresh.size() : 0,
               .max_waiting = max_waiting_,
               .has_room = is_known || is_pattern(command.pool) || !book_.find(command.pool),
               .draining = draining_});
  if (!refusal) {
    return false;
  }
  Answer& answer = open_answer(ticket, command.verb, now);
  answer.result = refusal->result;
  answer.fault = refusal->fault;
  answer.error = std::move(refusal->error);
  answer.pool = command.pool;
  answer.owner = command.owner;
  answer.door = command.door;
  return true;
}

// To be called at the end of every event that touched the pool: asks the next question,
// sets the time of the retry, removes or offers an unused pool.
void Engine::settle(EnginePool& pool, Time now) {
  pool.places.forget_old(now);
  kick(pool, now);
  const Time want = pool.line.empty() || pool.acquire ? never : pool.retry_at;
  if (want != pool.scheduled) {
    if (pool.scheduled != never) {
      retries_.erase({pool.scheduled, &pool});
    }
    if (want != never) {
      retries_.emplace(want, &pool);
    }
    pool.scheduled = want;
  }
  const bool used = pool.ops != 0 || !pool.promises.empty() || !pool.by_owner.empty();
  if (!used && pool.removed) {
    erase(pool);
  } else if (!used) {
    note_idle(pool);
  }
}

// Asks the backend for a slot, if no acquire is pending and a waiter is due.
void Engine::kick(EnginePool& pool, Time now) {
  if (pool.acquire) {
    return;
  }
  if (!pool.line.empty() && pool.retry_at <= now) {
    ask_for_slot(pool, pool.line.begin(), Kind::take);
  } else if (!pool.fresh.empty()) {
    ask_for_slot(pool, pool.fresh.begin(), pool.line.empty() ? Kind::take : Kind::find);
  }
}

void Engine::make_due(EnginePool& pool, Time now) {
  pool.retry_at = now;
  pool.again = true;
}

void Engine::changed(std::string_view name, Time now) {
  if (EnginePool* pool = find(name)) {
    make_due(*pool, now);
    settle(*pool, now);
  }
}

void Engine::tick(Time now) {
  while (!timeouts_.empty() && timeouts_.begin()->first <= now) {
    const Line::iterator waiter = waiters_.at(timeouts_.begin()->second);
    EnginePool& pool = *waiter->pool;
    timeouts_.erase(timeouts_.begin());
    if (waiter->in == &pool.asked) {
      continue;  // the verdict may still be a grant
    }
    keep_place(*waiter, now);
    answer(waiter, refused_with(Result::timeout, Fault::none, {}));
    settle(pool, now);
  }
  while (!retries_.empty() && retries_.begin()->first <= now) {
    settle(*retries_.begin()->second, now);
  }
}

std::optional<Time> Engine::deadline() const {
  Time due = never;
  if (!timeouts_.empty()) {
    due = timeouts_.begin()->first;
  }
  if (!retries_.empty()) {
    due = std::min(due, retries_.begin()->first);
  }
  return due == never ? std::nullopt : std::optional{due};
}

void Engine::configure(std::vector<PoolSpec> pools, Bounds bounds, Time now) {
  max_waiting_ = bounds.max_waiting;
  max_pools_ = bounds.max_pools;
  book_.configure(pools);
  reconfigure_made(now);
  const std::vector<EnginePool*> before = std::exchange(order_, {});
  for (EnginePool* pool : before) {
    pool->removed = true;
  }
  for (PoolSpec& spec : pools) {
    if (is_pattern(spec.name)) {
      continue;
    }
    std::unique_ptr<EnginePool>& pool = pools_[spec.name];
    if (!pool) {
      pool = std::make_unique<EnginePool>();
    }
    pool->spec = std::move(spec);
    pool->removed = false;
    order_.push_back(pool.get());
    make_due(*pool, now);
    settle(*pool, now);
  }
  for (EnginePool* pool : before) {
    if (!pool->removed) {
      continue;
    }
    pool->places.clear();
    answer_all(*pool,
               refused_with(Result::invalid, Fault::not_found,
                            "pool \"" + pool->spec.name + "\" was removed from this server"));
    settle(*pool, now);
  }
}

void Engine::drain(Time now) {
  draining_ = true;
  std::vector<EnginePool*> all = order_;
  all.insert(all.end(), made_.begin(), made_.end());
  for (EnginePool* pool : all) {
    answer_all(*pool, refused_with(Result::unavailable, Fault::none, shutting_down));
    settle(*pool, now);
  }
}

}  // namespace distributex
