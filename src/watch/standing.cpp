// SPDX-License-Identifier: MIT
// Clients may poll, so busy answers may be frequent: no function here walks all holders or
// all waiters, only the first few.
#include "watch/standing.h"

#include <algorithm>

#include "lock/pool_book.h"

namespace distributex {

namespace {

constexpr size_t holders_shown = 8;
constexpr size_t places_known = 1000;

}  // namespace

void Holdings::ended(std::string_view pool, Duration held) {
  auto it = pools_.find(pool);
  if (it == pools_.end()) {
    it = pools_.emplace(pool, Recent{}).first;
  }
  Recent& recent = it->second;
  recent.last[recent.count++ % recent.last.size()] = held;
}

std::optional<Duration> Holdings::mean(std::string_view pool) const {
  const auto it = pools_.find(pool);
  if (it == pools_.end()) {
    return std::nullopt;
  }
  const auto known = std::min(it->second.count, it->second.last.size());
  Duration sum{};
  for (size_t i = 0; i < known; ++i) {
    sum += it->second.last[i] / static_cast<int64_t>(known);
  }
  return sum;
}

void Holdings::forget(std::string_view pool) {
  const auto it = pools_.find(pool);
  if (it != pools_.end()) {
    pools_.erase(it);
  }
}

void Holdings::keep_only(const std::vector<PoolSpec>& pools) {
  PoolBook book;
  book.configure(pools);
  std::erase_if(pools_, [&](const auto& each) { return !book.find(each.first); });
}

Duration turn_comes_in(Duration mean, Duration oldest_held, uint32_t maxlocks, size_t place) {
  const Duration first = std::max(mean - oldest_held, Duration::zero());
  return first + mean / maxlocks * static_cast<int64_t>(place - 1);
}

Estimate::Estimate(const Sight& sight, const Holdings& holdings, const PoolSpec& pool, Time now)
    : mean_(holdings.mean(pool.name)), maxlocks_(pool.maxlocks) {
  if (const Freeze* freeze = sight.frozen(pool.name)) {
    endless_ = !freeze->until;
    least_ = freeze->until.value_or(now) - now;
  }
  if (!mean_) {
    return;
  }
  if (sight.held(pool.name) + sight.resting(pool.name) >= pool.maxlocks &&
      sight.held(pool.name) == 0) {
    for (const Rest& rest : sight.rests(pool.name, 1)) {
      first_rest_ = std::max(rest.ends - now, Duration::zero());
    }
  }
  for (const Lease& oldest : sight.leases(pool.name, 1)) {
    oldest_held_ = now - oldest.since;
  }
}

std::optional<Duration> Estimate::at(size_t place) const {
  if (!mean_ || endless_) {
    return std::nullopt;
  }
  const Duration held = turn_comes_in(*mean_, oldest_held_, maxlocks_, place);
  return std::max(std::max(held, least_),
                  first_rest_ + *mean_ / maxlocks_ * static_cast<int64_t>(place - 1));
}

Standing standing_of(const Sight& sight, const Holdings& holdings, std::string_view pool,
                     const Owner& owner, Time now) {
  Standing standing;
  standing.waiting = sight.waiting(pool);
  standing.position = sight.place_of(pool, owner, places_known, now);
  for (const Lease& lease : sight.leases(pool, holders_shown)) {
    Standing::Holder holder{.owner = lease.owner,
                            .held = now - lease.since,
                            .expires_in = {},
                            .token = lease.token,
                            .note = lease.note};
    if (lease.ends) {
      holder.expires_in = std::max(*lease.ends - now, Duration::zero());
    }
    standing.holders.push_back(std::move(holder));
  }
  const PoolSpec* spec = sight.find_pool(pool);
  if (spec && standing.position) {
    standing.estimate = Estimate{sight, holdings, *spec, now}.at(*standing.position);
  }
  return standing;
}

}  // namespace distributex
