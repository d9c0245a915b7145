// SPDX-License-Identifier: MIT
// A program under test whose system calls fail on demand: the n-th one, or the
// n-th of one name, with a given errno; and whose clock since boot is ahead, as
// after a suspend. A preloaded library (preload/failcall.cpp) does it to what the
// program and its libraries call by way of the C library, in all processes of the
// program, but not in what they execute. The test and the library share a page.
#pragma once

#include <stdint.h>

#include <atomic>
#include <string>
#include <vector>

#include "support/daemon.h"

namespace distributex::test {

struct FailPage {
  std::atomic<uint64_t> calls;  // that count, of all processes
  uint64_t fail_at;             // the first that fails; 0: none
  uint64_t times;               // so many fail in a row
  int32_t error;
  char only[24];                          // calls of this name count; "": of every name
  char failed[24];                        // the name of the first that failed
  std::atomic<int64_t> ahead_of_boot_ns;  // added to CLOCK_BOOTTIME
  bool has_locale;                        // LC_ALL is taken from the environment at the start
};

class FailCall {
 public:
  // For a program of this name, such as "distributex".
  explicit FailCall(const std::string& program);
  ~FailCall();
  FailCall(const FailCall&) = delete;
  FailCall& operator=(const FailCall&) = delete;

  // Begins to count anew.
  void fail(uint64_t at, int error, const std::string& only = "", uint64_t times = 1);
  [[nodiscard]] FailPage& page() { return *page_; }
  // NAME=VALUE, for the program's environment.
  [[nodiscard]] std::vector<std::string> environment() const;

 private:
  TempDir dir_;
  std::string program_;
  FailPage* page_ = nullptr;
};

// The test's own environment, and more.
[[nodiscard]] std::vector<std::string> own_environment_and(const std::vector<std::string>& more);

}  // namespace distributex::test
