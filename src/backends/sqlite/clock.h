// SPDX-License-Identifier: MIT
// The monotonic clock is comparable within one boot of one machine only. Here is what a
// store notes of clocks, and the arithmetic that carries the end of a lease over to another
// boot: on one machine never too early, whatever the wall clock says, and too late by the
// time off at most.
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

// Asks the system. The name of the boot comes from DISTRIBUTEX_BOOT_ID, else from /proc.
[[nodiscard]] StoreMoment store_moment();

// Whether the store's monotonic times are times of this boot's clock.
[[nodiscard]] bool is_same_boot(const StoreMeta& seen, const StoreMoment& now);

// How much time has certainly passed since the last commit, which was in another boot.
[[nodiscard]] std::chrono::nanoseconds time_gone(const StoreMeta& seen, const StoreMoment& now);

// Converts a row's times from the store's boot to this one. The time of a freeze counts on by
// the wall clock, also while the machine was off.
void carry_over(StoreRow& row, const StoreMeta& seen, const StoreMoment& now);

}  // namespace distributex
