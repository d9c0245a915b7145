// SPDX-License-Identifier: MIT
// Several servers of the etcd backend on one etcd in memory, step by step in an
// order that a seed gives, with faults: requests lost, late or carried out twice,
// answers lost, events late, watches ended, servers that stand still or die.
#pragma once

#include <stddef.h>
#include <stdint.h>

#include <string>

namespace distributex::test {

struct EtcdRace {
  size_t servers = 3;
  uint32_t slots = 1;
  size_t owners = 4;
  unsigned fault_percent = 0;
  bool deaths = false;  // servers stand still, and die
  bool wipes = false;
  int steps = 3000;
};

struct EtcdRaceEnd {
  std::string wrong;  // with the history of what owners were told, or with what is left
  size_t grants = 0;
};

[[nodiscard]] EtcdRaceEnd run_etcd_race(const EtcdRace& setting, uint64_t seed);

}  // namespace distributex::test
