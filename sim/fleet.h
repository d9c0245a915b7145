// SPDX-License-Identifier: MIT
// What all simulated clients share: chance from a seed, and the book of what they asked
// and how long they waited, as they saw it themselves.
#pragma once

#include <chrono>
#include <cmath>
#include <cstdint>
#include <random>
#include <string>
#include <vector>

#include "sim/world.h"

namespace distributex::sim {

// The requests of a run. Each is a connection of its own: distributex makes one for each
// request, and a node's is closed long before it asks again.
struct Book {
  uint64_t asked = 0;     // get, wait, pre-reboot
  uint64_t renewed = 0;   // renewals of leases
  uint64_t released = 0;  // releases, steady-state
  uint64_t looked = 0;    // signs of life of a server while its client waits
  uint64_t granted = 0;
  uint64_t gone = 0;         // answered without a lock
  uint64_t refused = 0;      // because the line was full
  uint64_t odd = 0;          // answers that a simulated client has no use for: there must be none
  std::vector<float> waits;  // of those who were granted: from the first request, in seconds
  double parked = 0;         // all seconds that requests which ended were parked

  [[nodiscard]] uint64_t requests() const { return asked + renewed + released + looked; }
};

// Sums of the standard library's engine, which is the same everywhere; its distributions
// are not.
class Chance {
 public:
  explicit Chance(uint64_t seed) : engine_(seed) {}
  double part() { return static_cast<double>(engine_() >> 11) * 0x1p-53; }  // [0, 1)
  double between(double from, double to) { return from + (to - from) * part(); }
  // At least half of the mean, and now and then a multiple of it.
  double around(double mean) { return mean / 2 * (1 - std::log(1 - part())); }

 private:
  std::mt19937_64 engine_;
};

inline Duration seconds_of(double seconds) {
  return std::chrono::duration_cast<Duration>(std::chrono::duration<double>(seconds));
}

// What a fleet's run came to.
struct Course {
  Standing standing;
  Book book;
  double needed = 0;  // slots that the load would keep busy; below those there are: it is carried
};

}  // namespace distributex::sim
