// SPDX-License-Identifier: MIT
// Faults that were found: each is printed at once, with the time, and counted. Any
// thread may add one.
#pragma once

#include <stddef.h>

#include <atomic>

namespace distributex::soak {

class Findings {
 public:
  [[gnu::format(printf, 2, 3)]] void add(const char* format, ...);
  [[nodiscard]] size_t count() const { return count_; }
  // Nothing counts from here on: the servers are being ended under the clients.
  void mute() { muted_ = true; }

 private:
  std::atomic<size_t> count_ = 0;
  std::atomic<bool> muted_ = false;
};

// A line of the report, with the time of day in front.
[[gnu::format(printf, 1, 2)]] void say(const char* format, ...);

}  // namespace distributex::soak
