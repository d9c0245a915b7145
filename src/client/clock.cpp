// SPDX-License-Identifier: MIT
//
// BootClock and its timer. If the system refuses a timer, the process ends: else a command would
// run without a deadline.
#include "client/clock.h"

#include <sys/random.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdint>

#include "client/say.h"

namespace distributex::client {

Moment read_clock() noexcept {
  timespec t{};
  if (clock_gettime(CLOCK_BOOTTIME, &t) != 0) {
    give_up("clock_gettime");
  }
  return Moment(std::chrono::seconds(t.tv_sec) + std::chrono::nanoseconds(t.tv_nsec));
}

double random_fraction() noexcept {
  std::uint32_t bits = 0;
  if (getrandom(&bits, sizeof bits, GRND_NONBLOCK) != static_cast<ssize_t>(sizeof bits)) {
    // Only very early in boot. The time since boot and the process id differ enough.
    bits = static_cast<std::uint32_t>(read_clock().time_since_epoch().count()) ^
           (static_cast<std::uint32_t>(getpid()) << 16U);
  }
  return static_cast<double>(bits) / 4294967296.0;
}

std::string time_of_day() {
  const time_t now = time(nullptr);
  tm local{};
  std::array<char, 16> text{};
  return localtime_r(&now, &local) != nullptr &&
                 strftime(text.data(), text.size(), "%H:%M:%S", &local) != 0
             ? text.data()
             : "?";
}

double wall_seconds() { return static_cast<double>(time(nullptr)); }

Alarm::Alarm() : fd_(timerfd_create(CLOCK_BOOTTIME, TFD_CLOEXEC | TFD_NONBLOCK)) {
  if (!fd_) {
    give_up("timerfd_create");
  }
}

void Alarm::set(std::optional<Moment> at) noexcept {
  itimerspec spec{};
  if (at) {
    // Zero would disarm the timer, so a moment before boot becomes 1 ns: it is due.
    const Span since = std::max(at->time_since_epoch(), Span(1));
    const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(since);
    spec.it_value.tv_sec = seconds.count();
    spec.it_value.tv_nsec = (since - seconds).count();
  }
  if (timerfd_settime(fd_.get(), TFD_TIMER_ABSTIME, &spec, nullptr) != 0) {
    give_up("timerfd_settime");
  }
}

}  // namespace distributex::client
