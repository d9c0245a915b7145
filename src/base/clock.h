// SPDX-License-Identifier: MIT
// The only file that reads a clock. All other code gets the time as an argument `now`.
#pragma once

#include <chrono>
#include <cstdint>
#include <ctime>

#include "base/time.h"

namespace distributex {

[[nodiscard]] inline Time steady_now() { return std::chrono::steady_clock::now(); }

// Microseconds since 1970 by the wall clock: to seed tokens, and to be shown.
[[nodiscard]] inline uint64_t wall_us() {
  const auto since_epoch = std::chrono::system_clock::now().time_since_epoch();
  return static_cast<uint64_t>(
      std::chrono::duration_cast<std::chrono::microseconds>(since_epoch).count());
}

// The time since the machine was started, sleep included; zero: not known.
[[nodiscard]] inline std::chrono::nanoseconds time_since_boot() {
  timespec at{};
  if (clock_gettime(CLOCK_BOOTTIME, &at) != 0) {
    return std::chrono::nanoseconds{0};
  }
  return std::chrono::seconds{at.tv_sec} + std::chrono::nanoseconds{at.tv_nsec};
}

[[nodiscard]] inline std::time_t wall_seconds() { return std::time(nullptr); }

}  // namespace distributex
