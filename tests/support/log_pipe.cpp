// SPDX-License-Identifier: MIT
#include "support/log_pipe.h"

#include <fcntl.h>
#include <signal.h>

#include <algorithm>
#include <cstdlib>

namespace distributex::test {

LogPipe::LogPipe() {
  signal(SIGPIPE, SIG_IGN);
  unsetenv("JOURNAL_STREAM");
  terminal_ = dup(STDERR_FILENO);
  if (pipe2(ends, O_CLOEXEC | O_NONBLOCK) != 0) {
    abort();
  }
  open_log(Level::info);
}

LogPipe::~LogPipe() {
  open_log(Level::info);
  drain();
  for (const int fd : {terminal_, ends[0], ends[1]}) {
    close(fd);
  }
}

void LogPipe::open_log(Level most_verbose) {
  logging([most_verbose] { log_open(LogTarget::stderr_plain, most_verbose); });
}

void LogPipe::drain() {
  char bytes[65536];
  for (ssize_t n; (n = read(ends[0], bytes, sizeof bytes)) > 0;) {
    text.append(bytes, static_cast<size_t>(n));
  }
}

std::string_view LogPipe::written(Level level, const char* line) {
  text.clear();
  logging([&] {
    log_line(level, "%s", line);
    log_flush();
  });
  drain();
  return std::string_view(text).substr(std::min<size_t>(text.size(), 25));
}

void LogPipe::split_lines() {
  lines.clear();
  for (std::string_view rest = text; !rest.empty();) {
    const size_t end = rest.find('\n');
    lines.emplace_back(rest.substr(0, end));
    rest.remove_prefix(end == rest.npos ? rest.size() : end + 1);
  }
}

}  // namespace distributex::test
