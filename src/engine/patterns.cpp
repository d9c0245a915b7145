// SPDX-License-Identifier: MIT
// Pools that patterns make. The engine makes a pool on the first command that names it, or
// when it hears that the backend has leases of the pool.
// When the pool has no waiter, take_idle() offers it; the server calls forget() if the
// backend has no lease and no rest of the pool.
#include <utility>

#include "base/pattern.h"
#include "engine/engine.h"
#include "engine/rules.h"

namespace distributex {

namespace {

PoolSpec spec_of(const PoolSpec& pattern, const std::string& name) {
  PoolSpec spec = pattern;
  spec.name = name;
  spec.pattern = pattern.name;
  return spec;
}

}  // namespace

// Returns nullptr if no pool has the name and no pattern may make one. A removed pool
// that still has questions in flight may be returned.
EnginePool* Engine::find_or_make(const Command& command) {
  EnginePool* pool = find(command.pool);
  if ((pool && !pool->removed) || is_pattern(command.pool)) {
    return pool;
  }
  const PoolSpec* pattern = book_.find(command.pool);
  const bool takes = gate_of(command.verb) == Gate::take;
  if (!pattern || draining_ || (takes && made_.size() >= max_pools_)) {
    return pool;
  }
  return make_pool(*pattern, command.pool);
}

void Engine::adopt(const std::string& name) {
  const EnginePool* pool = find(name);
  const PoolSpec* pattern = book_.find(name);
  if ((!pool || pool->removed) && pattern && is_pattern(pattern->name)) {
    note_idle(*make_pool(*pattern, name));
  }
}

EnginePool* Engine::make_pool(const PoolSpec& pattern, const std::string& name) {
  std::unique_ptr<EnginePool>& pool = pools_[name];
  if (!pool) {
    pool = std::make_unique<EnginePool>();
  }
  pool->spec = spec_of(pattern, name);
  pool->removed = false;
  if (pool->made_at == SIZE_MAX) {
    pool->made_at = made_.size();
    made_.push_back(pool.get());
  }
  return pool.get();
}

// Removes the pool from made_; the last element takes its index.
void Engine::unlist(EnginePool& pool) {
  if (pool.made_at == SIZE_MAX) {
    return;
  }
  made_.back()->made_at = pool.made_at;
  made_[pool.made_at] = made_.back();
  made_.pop_back();
  pool.made_at = SIZE_MAX;
}

void Engine::note_idle(EnginePool& pool) {
  if (pool.made_at != SIZE_MAX && !pool.is_idle) {
    pool.is_idle = true;
    idle_.push_back(pool.spec.name);
  }
}

std::optional<std::string> Engine::take_idle() {
  if (idle_.empty()) {
    return std::nullopt;
  }
  std::string name = std::move(idle_.front());
  idle_.pop_front();
  if (EnginePool* pool = find(name)) {
    pool->is_idle = false;
  }
  return name;
}

bool Engine::forget(const std::string& name, Time) {
  EnginePool* pool = find(name);
  if (!pool || pool->made_at == SIZE_MAX || pool->ops != 0 || !pool->promises.empty() ||
      !pool->by_owner.empty()) {
    return false;
  }
  unlist(*pool);
  erase(*pool);
  return true;
}

// After a reload: a pool that a pattern has made may now belong to another pattern, have
// a row of its own, or have neither. In the last case it is removed.
void Engine::reconfigure_made(Time now) {
  for (EnginePool* pool : std::vector<EnginePool*>(made_)) {
    const PoolSpec* row = book_.find(pool->spec.name);
    if (row && is_pattern(row->name)) {
      pool->spec = spec_of(*row, pool->spec.name);
      make_due(*pool, now);
      settle(*pool, now);
      continue;
    }
    unlist(*pool);
    if (!row) {
      pool->removed = true;
      pool->places.clear();
      Answer answer;
      answer.result = Result::invalid;
      answer.fault = Fault::not_found;
      answer.error = "pool \"" + pool->spec.name + "\" was removed from this server";
      answer_all(*pool, answer);
      settle(*pool, now);
    }
  }
}

void Engine::each_made(std::string_view pattern,
                       const std::function<void(const PoolSpec&)>& visit) const {
  for (const EnginePool* pool : made_) {
    if (pool->spec.pattern == pattern) {
      visit(pool->spec);
    }
  }
}

}  // namespace distributex
