// SPDX-License-Identifier: MIT
// configure() makes the index anew. config/pools.cpp refuses a configuration in which two
// pools list one group.
#include "daemon/groups.h"

#include <algorithm>

#include "base/log.h"
#include "base/text.h"

namespace distributex {

void Groups::configure(const std::vector<PoolSpec>& pools) {
  listed_.clear();
  for (const PoolSpec& pool : pools) {
    for (const std::string& group : pool.fleetlock) {
      if (group != own_group) {
        listed_.emplace(group, pool.name);
      }
    }
  }
}

const std::string* Groups::pool_of(std::string_view group) const {
  const auto it = listed_.find(group);
  return it == listed_.end() ? nullptr : &it->second;
}

void Groups::warn(const std::vector<PoolSpec>& pools) {
  for (const PoolSpec& pool : pools) {
    if (!pool.fleetlock.empty()) {
      log_line(Level::warning,
               "pool=%s fleetlock=unsafe reason=\"the backend inmemory forgets its locks when "
               "this server restarts, and then two nodes may reboot at once; use sqlite or etcd\"",
               escaped(pool.name).c_str());
    }
  }
}

bool serves_own_group(const PoolSpec& pool) {
  return std::find(pool.fleetlock.begin(), pool.fleetlock.end(), own_group) != pool.fleetlock.end();
}

}  // namespace distributex
