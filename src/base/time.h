// SPDX-License-Identifier: MIT
// Points and lengths of time, and their forms in C libraries. Reads no clock.
#pragma once

#include <sys/time.h>

#include <algorithm>
#include <chrono>

namespace distributex {

using Time = std::chrono::steady_clock::time_point;
using Duration = std::chrono::steady_clock::duration;

// Rounds up to microseconds, so that a timer does not fire just before its time. A negative
// duration becomes 0.
[[nodiscard]] inline timeval to_timeval(Duration duration) {
  const auto us =
      std::chrono::ceil<std::chrono::microseconds>(std::max(duration, Duration::zero()));
  return {.tv_sec = us.count() / 1'000'000, .tv_usec = us.count() % 1'000'000};
}

}  // namespace distributex
