// SPDX-License-Identifier: MIT
// What all simulated clients share: random numbers from a seed, and the book of what they
// asked and how long they waited.
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
  uint64_t refused = 0;      // refused because the queue was full
  uint64_t odd = 0;          // answers that no simulated client expects: there must be none
  std::vector<float> waits;  // seconds from the first request to the grant
  double parked = 0;         // sum of the seconds that requests were parked

  [[nodiscard]] uint64_t requests() const { return asked + renewed + released + looked; }
};

// Random numbers from the standard library's engine, which is the same everywhere, and not
// from its distributions, which differ.
class Chance {
 public:
  explicit Chance(uint64_t seed) : engine_(seed) {}
  double part() { return static_cast<double>(engine_() >> 11) * 0x1p-53; }  // [0, 1)
  double between(double from, double to) { return from + (to - from) * part(); }
  // Half of the mean, and an exponential part with the other half as its mean.
  double around(double mean) { return mean / 2 * (1 - std::log(1 - part())); }

 private:
  std::mt19937_64 engine_;
};

inline Duration seconds_of(double seconds) {
  return std::chrono::duration_cast<Duration>(std::chrono::duration<double>(seconds));
}

// The outcome of a fleet's run.
struct Course {
  Standing standing;
  Book book;
  double needed = 0;  // slots that the load keeps busy; it is carried if there are more
};

}  // namespace distributex::sim
