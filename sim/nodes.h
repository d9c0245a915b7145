// SPDX-License-Identifier: MIT
// Nodes that update themselves and reboot under a slot of FleetLock: each asks for
// pre-reboot, asks again some minutes later if it was refused, reboots, says steady-state.
#pragma once

#include "sim/fleet.h"

namespace distributex::sim {

struct NodesLoad {
  uint32_t nodes = 1;
  uint32_t slots = 500;
  double reboot = 300;       // seconds, the mean
  double spread = 6 * 3600;  // within which all have found the update
  int wait = 240;            // fleetlock_wait
  double poll = 300;         // after a refusal, and up to a tenth more
  uint64_t seed = 1;
};

// Until all nodes have rebooted.
[[nodiscard]] Course run_nodes(const NodesLoad& load);

}  // namespace distributex::sim
