// SPDX-License-Identifier: MIT
// Read-only views of the engine: pools in the order of the configuration, waiters in the
// order of their turns.
#include "base/pattern.h"
#include "engine/engine.h"

namespace distributex {

namespace {

// The place that a new waiter of this owner, which has none now, would get: its remembered
// place, else the place behind all waiters.
std::optional<size_t> place_to_be(const EnginePool& pool, const Owner& owner, size_t within,
                                  Time now) {
  const auto turn = pool.places.find(owner, now);
  if (!turn) {
    return pool.by_owner.size() + 1;
  }
  size_t place = 1;
  for (const Line* line : {&pool.asked, &pool.line}) {
    for (const Waiter& waiter : *line) {
      if (waiter.turn > *turn) {
        break;
      }
      if (++place > within) {
        return std::nullopt;
      }
    }
  }
  return place;
}

}  // namespace

void Engine::each_pool(const std::function<void(const PoolSpec&, size_t)>& visit) const {
  for (const EnginePool* pool : order_) {
    visit(pool->spec, pool->by_owner.size());
  }
  for (const PoolSpec& pattern : book_.pools()) {
    if (!is_pattern(pattern.name)) {
      continue;
    }
    size_t waiting = 0;
    for (const EnginePool* pool : made_) {
      waiting += pool->spec.pattern == pattern.name ? pool->by_owner.size() : 0;
    }
    visit(pattern, waiting);
  }
}

// The three lists of waiters of a pool, in the order of the turns.
std::array<const Line*, 3> Engine::lines_of(const EnginePool& pool) const {
  // With Kind::find the waiter in `asked` is a newcomer: its place is behind the line.
  if (pool.acquire && ops_.at(pool.acquire).kind == Kind::find) {
    return {&pool.line, &pool.asked, &pool.fresh};
  }
  return {&pool.asked, &pool.line, &pool.fresh};
}

void Engine::each_waiter(std::string_view name,
                         const std::function<void(const Owner&, Time)>& visit, size_t most) const {
  const EnginePool* pool = find(name);
  if (!pool) {
    return;
  }
  for (const Line* line : lines_of(*pool)) {
    for (const Waiter& waiter : *line) {
      if (most-- == 0) {
        return;
      }
      visit(waiter.owner, waiter.since);
    }
  }
}

const PoolSpec* Engine::pool_at(size_t index) const {
  if (index < order_.size()) {
    return &order_[index]->spec;
  }
  index -= order_.size();
  return index < made_.size() ? &made_[index]->spec : nullptr;
}

const PoolSpec* Engine::find_pool(std::string_view name) const {
  const EnginePool* pool = find(name);
  return pool && !pool->removed ? &pool->spec : nullptr;
}

size_t Engine::waiting(std::string_view name) const {
  const EnginePool* pool = find(name);
  return pool ? pool->by_owner.size() : 0;
}

std::optional<Time> Engine::oldest_waiter(std::string_view name) const {
  const EnginePool* pool = find(name);
  if (!pool) {
    return std::nullopt;
  }
  for (const Line* line : lines_of(*pool)) {
    if (!line->empty()) {
      return line->front().since;
    }
  }
  return std::nullopt;
}

std::optional<size_t> Engine::place_of(std::string_view name, const Owner& owner, size_t within,
                                       Time now) const {
  const EnginePool* pool = find(name);
  if (!pool) {
    return std::nullopt;
  }
  if (!pool->by_owner.contains(owner)) {
    return place_to_be(*pool, owner, within, now);
  }
  size_t place = 0;
  for (const Line* line : lines_of(*pool)) {
    for (const Waiter& waiter : *line) {
      if (++place > within) {
        return std::nullopt;
      }
      if (waiter.owner == owner) {
        return place;
      }
    }
  }
  return std::nullopt;
}

}  // namespace distributex
