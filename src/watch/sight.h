// SPDX-License-Identifier: MIT
// What pages, metrics and answers may look at: pools, their waiters and their leases at the
// moment of the call. The daemon sets the functions once, from its engine and its backend;
// code that calls them knows neither.
#pragma once

#include <cstddef>
#include <functional>
#include <optional>
#include <string_view>
#include <vector>

#include "lock/figure.h"
#include "lock/store.h"
#include "lock/words.h"

namespace distributex {

struct Sight {
  using VisitPool = std::function<void(const PoolSpec&, size_t waiting)>;
  using VisitWaiter = std::function<void(const Owner&, Time since)>;

  // Visits the pools in the order of the configuration; a pattern once, with the number of
  // waiters of all pools that it has made.
  std::function<void(const VisitPool&)> each_pool;
  // Visits the pools that a pattern has made.
  std::function<void(std::string_view pattern, const std::function<void(const PoolSpec&)>&)>
      each_made;
  // Visits the first `most` waiters of a pool, in the order of their turns.
  std::function<void(std::string_view pool, const VisitWaiter&, size_t most)> each_waiter;
  // The oldest `most` leases of a pool; the cost depends on the number returned only.
  std::function<std::vector<Lease>(std::string_view pool, size_t most)> leases;

  // Since when leases outlive this process; nullopt: they do not.
  std::function<std::optional<Time>()> survives_since;
  // The store outside this process that keeps the leases; nullopt: there is none.
  std::function<std::optional<StoreState>()> store;
  // The number of waiters of the pool at other servers; nullopt: not known.
  std::function<std::optional<size_t>(std::string_view pool)> waiting_elsewhere;
  // Adds the metrics that the backend has about itself.
  std::function<void(std::vector<Figure>&, Time now)> add_figures;

  // All freezes, and the freeze of a pool; nullptr: the pool is not frozen.
  std::function<std::vector<Freeze>()> freezes;
  std::function<const Freeze*(std::string_view pool)> frozen;
  // Whether one of the last events says that this id has released a lock of the pool.
  std::function<bool(std::string_view pool, std::string_view id)> was_released{};

  // The first `most` rests (closed slots) of a pool, in the order of their ends.
  std::function<std::vector<Rest>(std::string_view pool, size_t most)> rests;

  // These are cheap, whatever the number of holders and waiters.
  std::function<const PoolSpec*(std::string_view pool)> find_pool;       // nullptr: no such pool
  std::function<const PoolSpec*(std::string_view group)> pool_of_group;  // of FleetLock
  std::function<const PoolSpec*(size_t index)> pool_at;                  // see Engine::pool_at()
  std::function<size_t(std::string_view pool)> waiting;
  std::function<size_t(std::string_view pool)> held;
  std::function<size_t(std::string_view pool)> resting;
  std::function<std::optional<Time>(std::string_view pool)> oldest_waiter;
  // The place of the owner's waiter, from 1, or the place that a new one would have.
  // nullopt: the place is behind the first `within`.
  std::function<std::optional<size_t>(std::string_view pool, const Owner&, size_t within, Time now)>
      place_of;
};

}  // namespace distributex
