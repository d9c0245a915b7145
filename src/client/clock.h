// SPDX-License-Identifier: MIT
//
// The client's clock: CLOCK_BOOTTIME, because a lease at the server goes on while this machine is
// suspended, and a monotonic clock would not notice. This is the only place of the client that asks
// for the time; everything that decides gets the moment passed in. No wall clock here.
#pragma once

#include <chrono>
#include <optional>
#include <string>

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

// The time of day for messages to people, "14:03:22"; nothing is ever decided by it.
[[nodiscard]] std::string time_of_day();
// Seconds since 1970, to compare with what a server shows to people.
[[nodiscard]] double wall_seconds();

// A fraction in [0, 1) for jitter; good enough to keep clients apart, not for secrets.
[[nodiscard]] double random_fraction() noexcept;

// A timer to poll for: its descriptor is readable once the moment has come, at once after a suspend
// that slept through it.
class Alarm {
 public:
  Alarm();
  ~Alarm();
  Alarm(const Alarm&) = delete;
  Alarm& operator=(const Alarm&) = delete;

  [[nodiscard]] int fd() const { return fd_; }
  // Replaces what was set before; nothing: never.
  void set(std::optional<Moment> at) noexcept;

 private:
  int fd_;
};

}  // namespace distributex::client
