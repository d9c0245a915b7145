// SPDX-License-Identifier: MIT
// Hosts that each run Puppet once in a period under a slot of a pool, as distributex does
// it: wait, look after half a second whether the server lives, renew after each third of
// the lease, release.
#pragma once

#include <chrono>
#include <optional>
#include <vector>

#include "sim/fleet.h"

namespace distributex::sim {

struct PuppetLoad {
  uint32_t hosts = 1;
  uint32_t pools = 1;  // hosts are spread over them evenly
  uint32_t slots = 500;
  double run = 180;      // seconds, the mean
  double period = 1800;  // from the start of a run to that of the next
  int lease = 30;        // --lease
  double patience = 0;   // -w; 0: for ever
  uint32_t max_waiting = 1000000;
  double settle = 3600;   // seconds before counting
  double measure = 3600;  // and of counting
  uint64_t seed = 1;
};

[[nodiscard]] Course run_puppet(const PuppetLoad& load);

}  // namespace distributex::sim
