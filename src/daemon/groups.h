// SPDX-License-Identifier: MIT
// Which pool serves a group of FleetLock. A pool lists its groups; a group that none
// lists is that of the pool of its name, if that pool serves its own name.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/name_map.h"
#include "lock/words.h"

namespace distributex {

class Groups {
 public:
  void configure(const std::vector<PoolSpec>& pools);
  // The name of the pool that lists the group; nullptr: none does.
  [[nodiscard]] const std::string* pool_of(std::string_view group) const;
  // Says of each pool with groups that its locks end with this server.
  static void warn(const std::vector<PoolSpec>& pools);

 private:
  NameMap<std::string> listed_;
};

[[nodiscard]] bool serves_own_group(const PoolSpec& pool);

}  // namespace distributex
