// SPDX-License-Identifier: MIT
// open() returns the lowest free number, which is the missing one: the loop goes upwards.
#include "base/standard_fds.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>

namespace distributex {

bool open_missing_standard_fds() noexcept {
  for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; ++fd) {
    if (fcntl(fd, F_GETFD) != -1 || errno != EBADF) {
      continue;
    }
    if (open("/dev/null", O_RDWR | O_CLOEXEC) != fd) {
      return false;
    }
  }
  return true;
}

// No descriptor that this process has inherited is close-on-exec.
bool was_missing(int standard_fd) noexcept {
  const int flags = fcntl(standard_fd, F_GETFD);
  return flags == -1 || (flags & FD_CLOEXEC) != 0;
}

}  // namespace distributex
