// SPDX-License-Identifier: MIT
// Which pool serves a group of FleetLock: the pool that lists the group, else the pool of
// the same name, if that pool serves the group of its own name.
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
  // The name of the pool that lists the group; nullptr: no pool does.
  [[nodiscard]] const std::string* pool_of(std::string_view group) const;
  // Warns, for each pool with groups, that its locks end when this server ends.
  static void warn(const std::vector<PoolSpec>& pools);

 private:
  NameMap<std::string> listed_;
};

[[nodiscard]] bool serves_own_group(const PoolSpec& pool);

}  // namespace distributex
