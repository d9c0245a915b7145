// SPDX-License-Identifier: MIT
// Tells the service manager while the daemon runs: ready, reloading, stopping, a status
// text, and signs of life, which stop when the loop stops. Knows the loop, and of the
// server only the function that makes the status text.
#pragma once

#include <functional>
#include <string>

#include "base/handle.h"

namespace distributex {

class Supervision {
 public:
  // Calls `status` every two seconds, on the loop's thread.
  Supervision(event_base* base, std::function<std::string()> status);
  Supervision(const Supervision&) = delete;
  Supervision& operator=(const Supervision&) = delete;

  // Call it when the ports accept. Starts the timers if there is a service manager.
  void ready();
  // Call them before and after the configuration is read again, even if that fails.
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
