// SPDX-License-Identifier: MIT
// A watch that asks daemons for /livez all the time. To tell a daemon whose loop stood still
// from a busy machine, it asks an idle daemon of its own, the control, at the same moments.
#pragma once

#include <stdint.h>

#include <condition_variable>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "support/daemon.h"

namespace distributex::test {

// Asks each daemon, and the control, a hundred times a second until it ends.
class LivezWatch {
 public:
  // Starts the control; without one nothing is quick.
  explicit LivezWatch(const std::vector<uint16_t>& ports);
  ~LivezWatch() { stop(); }
  void stop();

  // Whether every answer was there within the limit, beside what the machine took: four
  // times the control's slowest answer. To be asked after stop().
  [[nodiscard]] bool is_quick(milliseconds limit) const;
  [[nodiscard]] std::string report() const;

 private:
  struct Answers {
    std::vector<milliseconds> took{};
    size_t failures = 0;  // answers that were none, or not 200
    [[nodiscard]] milliseconds slowest() const;
  };

  void ask(uint16_t port, Answers& answers);

  Daemon control_;
  mutable std::mutex lock_;
  std::condition_variable stopped_;
  bool stopping_ = false;
  Answers watched_{};
  Answers controls_{};
  std::vector<std::thread> threads_;
};

}  // namespace distributex::test
