// SPDX-License-Identifier: MIT
// What the service manager hears while the daemon runs: ready, reloading,
// stopping, a status text, and signs of life that stop when the loop stops.
// Knows the loop, and of the server only the function that makes the text.
#pragma once

#include <functional>
#include <string>

#include "base/handle.h"

namespace distributex {

class Supervision {
 public:
  // `status` is asked now and then, in the loop's thread.
  Supervision(event_base* base, std::function<std::string()> status);
  Supervision(const Supervision&) = delete;
  Supervision& operator=(const Supervision&) = delete;

  // The ports accept. The timers start; without a manager there are none.
  void ready();
  // Before and after the configuration is read again, whatever comes of it.
  void reloading();
  void reloaded();
  void stopping();

 private:
  static void on_watchdog(int, short, void*) noexcept;
  static void on_status(int, short, void* self) noexcept;
  [[nodiscard]] std::string changed_status();

  std::function<std::string()> status_;
  std::string told_;
  Event watchdog_;
  Event status_timer_;
};

}  // namespace distributex
