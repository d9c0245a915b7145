// SPDX-License-Identifier: MIT
// What pages, counters and answers may look at: pools, their lines and their
// leases as they are at the moment of the call. The daemon fills the functions
// once, from its engine and its backend; nobody here knows either.
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

  // In the order of the configuration; a pattern stands for the pools it has made,
  // with the sum of those who wait.
  std::function<void(const VisitPool&)> each_pool;
  // The pools that a pattern has made.
  std::function<void(std::string_view pattern, const std::function<void(const PoolSpec&)>&)>
      each_made;
  // The first `most` who wait for a pool, in their order.
  std::function<void(std::string_view pool, const VisitWaiter&, size_t most)> each_waiter;
  // The oldest `most` leases of a pool; the cost is that of what is returned.
  std::function<std::vector<Lease>(std::string_view pool, size_t most)> leases;

  // Since when leases are kept beyond the end of this process; nothing: they are not.
  std::function<std::optional<Time>()> survives_since;
  // The store outside this process that keeps the leases; nothing: there is none.
  std::function<std::optional<StoreState>()> store;
  // How many wait for the pool at other servers; nothing: that is not known.
  std::function<std::optional<size_t>(std::string_view pool)> waiting_elsewhere;
  // What the backend counts about itself.
  std::function<void(std::vector<Figure>&, Time now)> add_figures;

  // The freezes that stand, and that of a pool; nullptr: it has none.
  std::function<std::vector<Freeze>()> freezes;
  std::function<const Freeze*(std::string_view pool)> frozen;
  // Whether one of the last events is that this id gave a lock of the pool back.
  std::function<bool(std::string_view pool, std::string_view id)> was_released{};

  // Closed slots of a pool, those that end first.
  std::function<std::vector<Rest>(std::string_view pool, size_t most)> rests;

  // Each of these costs little, however many hold or wait.
  std::function<const PoolSpec*(std::string_view pool)> find_pool;       // nullptr: no such pool
  std::function<const PoolSpec*(std::string_view group)> pool_of_group;  // of FleetLock
  std::function<const PoolSpec*(size_t index)> pool_at;  // in their order; nullptr: no more
  std::function<size_t(std::string_view pool)> waiting;
  std::function<size_t(std::string_view pool)> held;
  std::function<size_t(std::string_view pool)> resting;
  std::function<std::optional<Time>(std::string_view pool)> oldest_waiter;
  // The place of the owner's wait, or the place that a wait of the owner would
  // have now. Nothing when it is not among the first `within`.
  std::function<std::optional<size_t>(std::string_view pool, const Owner&, size_t within, Time now)>
      place_of;
};

}  // namespace distributex
