// SPDX-License-Identifier: MIT
// One map of leases, and two orders by their ends: of all leases, and of each pool.
#include "backends/memcache/ends.h"

namespace distributex {

void MemcacheEnds::put(EndingLease lease) {
  if (!lease.lease.ends) {
    return;
  }
  drop(lease.nonce);
  const auto place = std::pair(*lease.lease.ends, lease.nonce);
  all_.insert(place);
  pools_[lease.pool].insert(place);
  leases_.emplace(lease.nonce, std::move(lease));
}

EndingLease MemcacheEnds::take(const std::string& nonce) {
  auto node = leases_.extract(nonce);
  EndingLease lease = std::move(node.mapped());
  const auto place = std::pair(*lease.lease.ends, lease.nonce);
  all_.erase(place);
  const auto pool = pools_.find(lease.pool);
  pool->second.erase(place);
  if (pool->second.empty()) {
    pools_.erase(pool);
  }
  return lease;
}

void MemcacheEnds::drop(const std::string& nonce) {
  if (leases_.contains(nonce)) {
    (void)take(nonce);
  }
}

const EndingLease* MemcacheEnds::find(const std::string& nonce) const {
  const auto it = leases_.find(nonce);
  return it == leases_.end() ? nullptr : &it->second;
}

std::optional<Time> MemcacheEnds::first() const {
  return all_.empty() ? std::nullopt : std::optional{all_.begin()->first};
}

std::optional<Time> MemcacheEnds::first(const std::string& pool) const {
  const auto it = pools_.find(pool);
  return it == pools_.end() ? std::nullopt : std::optional{it->second.begin()->first};
}

std::vector<EndingLease> MemcacheEnds::take_due(Time now) {
  std::vector<EndingLease> due;
  while (!all_.empty() && all_.begin()->first <= now) {
    const std::string nonce = all_.begin()->second;
    due.push_back(take(nonce));
  }
  return due;
}

std::vector<EndingLease> MemcacheEnds::take_due(const std::string& pool, Time now) {
  std::vector<EndingLease> due;
  for (auto end = first(pool); end && *end <= now; end = first(pool)) {
    const std::string nonce = pools_[pool].begin()->second;
    due.push_back(take(nonce));
  }
  return due;
}

}  // namespace distributex
