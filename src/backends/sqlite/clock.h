// SPDX-License-Identifier: MIT
// The monotonic clock means something within one boot of one machine only.
// What a store must know of clocks to go on with its leases after a restart,
// and the arithmetic that carries an end over: never early on one machine,
// whatever the wall clock says, and late by the time off at most.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>

#include "backends/sqlite/row.h"

namespace distributex {

// The inode of the time namespace that every machine starts with.
inline constexpr uint64_t first_time_namespace = 4026531834;

// All clocks at one moment.
struct StoreMoment {
  std::string boot;     // empty: unknown
  uint64_t timens = 0;  // 0: unknown
  std::string machine;  // empty: unknown
  int64_t mono = 0;     // nanoseconds
  int64_t wall = 0;     // microseconds since 1970
  int64_t uptime = 0;   // nanoseconds since the boot, time asleep included
};

// Asks the system: the boot's name from DISTRIBUTEX_BOOT_ID or /proc.
[[nodiscard]] StoreMoment store_moment();

// Whether times of the store's monotonic clock are times of ours.
[[nodiscard]] bool is_same_boot(const StoreMeta& seen, const StoreMoment& now);

// How long nobody looked, as far as that is certain.
[[nodiscard]] std::chrono::nanoseconds time_gone(const StoreMeta& seen, const StoreMoment& now);

// Gives a row times of this boot's clock.
void carry_over(StoreRow& row, const StoreMeta& seen, const StoreMoment& now);

}  // namespace distributex
