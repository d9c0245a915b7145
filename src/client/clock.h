// SPDX-License-Identifier: MIT
//
// The client's clocks. All decisions use CLOCK_BOOTTIME, which counts while this machine is
// suspended, as the lease at the server does; CLOCK_MONOTONIC stands still then. The time of day is
// only for messages. No other file asks the system for the time.
#pragma once

#include <chrono>
#include <optional>
#include <string>

#include "base/handle.h"

namespace distributex::client {

struct BootClock {
  using duration = std::chrono::nanoseconds;
  using rep = duration::rep;
  using period = duration::period;
  using time_point = std::chrono::time_point<BootClock>;
  static constexpr bool is_steady = true;
};

using Span = BootClock::duration;
using Moment = BootClock::time_point;

[[nodiscard]] Moment read_clock() noexcept;

// Seconds with decimals to and from a span.
[[nodiscard]] constexpr double to_seconds(Span span) {
  return std::chrono::duration<double>(span).count();
}
[[nodiscard]] constexpr Span from_seconds(double seconds) {
  return std::chrono::duration_cast<Span>(std::chrono::duration<double>(seconds));
}

// The time of day for messages to people, "14:03:22".
[[nodiscard]] std::string time_of_day();
// Seconds since 1970, to compare with what a server shows to people.
[[nodiscard]] double wall_seconds();

// A fraction in [0, 1) for jitter; good enough to keep clients apart, not for secrets.
[[nodiscard]] double random_fraction() noexcept;

// A timer with a descriptor that becomes readable when the moment comes, or right after a suspend
// during which it came.
class Alarm {
 public:
  Alarm();

  [[nodiscard]] int fd() const { return fd_.get(); }
  // Replaces what was set before; nullopt: the alarm never comes.
  void set(std::optional<Moment> at) noexcept;

 private:
  Fd fd_;
};

}  // namespace distributex::client
