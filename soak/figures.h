// SPDX-License-Identifier: MIT
// Figures of a daemon from /proc and from its /metrics, taken while no client asks it for
// anything, and compared with those of the first calm.
#pragma once

#include <stdint.h>

#include <chrono>
#include <string>

#include "service.h"

namespace distributex::soak {

struct Figures {
  long rss_kib = 0;
  long files = 0;
  double held = 0;
  double waiting = 0;
  double streams = 0;
  double connections = 0;  // the one that asks included
  double grants = 0;
  double releases = 0;
  double expiries = 0;
  double evictions = 0;
  double undelivered = 0;
  double cancelled = 0;
  double streams_dropped = 0;
  double lines_dropped = 0;
  // Of an idle while, if somebody has watched one.
  double wakeups = 0;  // a second, all threads together
  milliseconds cpu{};

  // Whether there is no lock, no waiter, no reader, and no connection but the one that asks.
  [[nodiscard]] bool is_quiet() const {
    return held == 0 && waiting == 0 && streams == 0 && connections <= 1;
  }
};

[[nodiscard]] Figures look_at(const Daemon& daemon);
// Watches the daemon for so long while nothing is asked; looks at its memory and
// descriptors again, for nobody is connected then.
void watch_idle(const Daemon& daemon, milliseconds length, Figures& figures);

// The bounds for figures of a calm that need not be 0. A server with its locks in memory
// and nothing to do does not wake at all.
struct Bounds {
  long rss_growth_kib = 3072;
  double wakeups = 1;    // a second
  milliseconds cpu{40};  // of the idle while
};

// "" when all is as flat as it must be.
[[nodiscard]] std::string unevenness(const Figures& before, const Figures& now,
                                     const Bounds& bounds);
// Every lock that was granted has ended in one of the ways that are counted.
[[nodiscard]] bool adds_up(const Figures& figures);

}  // namespace distributex::soak
