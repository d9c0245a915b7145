// SPDX-License-Identifier: MIT
// Threads beside the loop's, and how they wake it. If the system refuses what they need, the
// process ends with a line in the log and EX_OSERR.
#pragma once

#include <pthread.h>

#include "base/handle.h"

namespace distributex {

// Starts a thread that calls run(argument), under this name (at most 15 bytes). All signals
// are blocked in it: the loop's thread handles them.
[[nodiscard]] pthread_t start_thread(const char* name, void* (*run)(void*), void* argument);

// A descriptor that the loop watches. It is readable from wake(), called by any thread, until
// calm().
class Waker {
 public:
  Waker();
  [[nodiscard]] int fd() const { return fd_.get(); }
  void wake() const;
  void calm() const;
  // Another descriptor for the same.
  [[nodiscard]] Fd copy() const;

 private:
  Fd fd_;
};

}  // namespace distributex
