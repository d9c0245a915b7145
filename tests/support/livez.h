// SPDX-License-Identifier: MIT
// A watch that asks daemons for /livez all the time, and tells a daemon whose
// loop stood still from a machine that had no time for anybody.
#pragma once

#include <stdint.h>

#include <atomic>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "support/daemon.h"

namespace distributex::test {

// Asks each daemon a hundred times a second until it ends; beside that, a thread
// of its own looks how late it is woken itself.
class LivezWatch {
 public:
  explicit LivezWatch(const std::vector<uint16_t>& ports);
  ~LivezWatch() { stop(); }
  void stop();

  // Whether every answer was there within the limit, those left out during which
  // the machine was late by a good part of it. To be asked after stop().
  [[nodiscard]] bool is_quick(milliseconds limit) const;
  [[nodiscard]] std::string report() const;

 private:
  struct Span {
    Clock::time_point from;
    Clock::time_point to;
    [[nodiscard]] Clock::duration length() const { return to - from; }
  };

  void ask(uint16_t port);
  void oversleep();
  [[nodiscard]] bool was_late(const Span& during, Clock::duration by) const;

  std::atomic<bool> stopping_ = false;
  mutable std::mutex lock_;
  std::vector<Span> answers_;
  size_t failures_ = 0;      // answers that were none, or not 200
  std::vector<Span> lates_;  // from when a sleeper should have woken to when it did
  std::vector<std::thread> threads_;
};

}  // namespace distributex::test
