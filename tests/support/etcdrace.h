// SPDX-License-Identifier: MIT
// Several servers of the etcd backend on one etcd in memory, step by step in an
// order that a seed gives, with faults: requests lost, late or carried out twice,
// answers lost, events late, watches ended, servers that stand still or die.
// Operators freeze, thaw and evict, one at a time: no grant may be told after the
// answer to a freeze.
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
  bool orders = false;  // operators freeze, thaw and evict, and slots rest
  int steps = 3000;
};

struct EtcdRaceEnd {
  std::string wrong;  // with the history of what owners were told, or with what is left
  size_t grants = 0;
  size_t freezes = 0;  // that were answered
};

[[nodiscard]] EtcdRaceEnd run_etcd_race(const EtcdRace& setting, uint64_t seed);

}  // namespace distributex::test
