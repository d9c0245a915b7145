// SPDX-License-Identifier: MIT
// The log as a reader of stderr sees it. Stderr is a pipe while a test logs; it
// is put back before anything is asserted, for cmocka reports there.
#pragma once

#include <unistd.h>

#include <random>
#include <string>
#include <string_view>
#include <vector>

#include "base/log.h"

namespace distributex::test {

struct LogPipe {
  int ends[2] = {-1, -1};  // the pipe that stands for stderr
  std::string text;        // all that came out of it
  std::vector<std::string> lines;
  // For tests: an assertion that fails frees nothing of their own.
  std::string wanted;
  std::mt19937 random{20260131};

  LogPipe();
  LogPipe(const LogPipe&) = delete;
  LogPipe& operator=(const LogPipe&) = delete;
  ~LogPipe();

  // Does something with stderr being the pipe.
  template <typename Action>
  void logging(Action action) {
    logging_to(ends[1], action);
  }
  template <typename Action>
  void logging_to(int fd, Action action) {
    dup2(fd, STDERR_FILENO);
    action();
    dup2(terminal_, STDERR_FILENO);
  }

  void open_log(Level most_verbose);
  // Adds what the pipe holds now to text.
  void drain();
  // What comes out when one line is logged and flushed, without its time.
  std::string_view written(Level level, const char* line);
  // Of text.
  void split_lines();

 private:
  int terminal_ = -1;  // the real stderr
};

}  // namespace distributex::test
