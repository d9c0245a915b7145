// SPDX-License-Identifier: MIT
// open() takes the lowest number that is free, which is the one that is wanted.
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

}  // namespace distributex
