// SPDX-License-Identifier: MIT
// Pools that patterns make: on the first command that names them, and gone when
// nobody waits here and nobody holds or rests there, which the server knows.
#include <utility>

#include "base/pattern.h"
#include "engine/engine.h"

namespace distributex {

namespace {

PoolSpec spec_of(const PoolSpec& pattern, const std::string& name) {
  PoolSpec spec = pattern;
  spec.name = name;
  spec.pattern = pattern.name;
  return spec;
}

}  // namespace

// Null when there is no such pool, or when there are too many already.
EnginePool* Engine::find_or_make(const Command& command) {
  EnginePool* pool = find(command.pool);
  if ((pool && !pool->removed) || is_pattern(command.pool)) {
    return pool;
  }
  const PoolSpec* pattern = book_.find(command.pool);
  if (!pattern || draining_ || made_.size() >= max_pools_) {
    return pool;
  }
  return make_pool(*pattern, command.pool);
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

// The last takes the place of the one that goes.
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

// After a reload: another pattern may speak for them now, a row of their own, or none.
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
