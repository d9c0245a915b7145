// SPDX-License-Identifier: MIT
//
// Asks /dev/tty for the foreground group, so that it does not matter where stdin and stdout lead.
#include "client/terminal.h"

#include <fcntl.h>
#include <unistd.h>

namespace distributex::client {

Terminal::Terminal()
    : fd_(open("/dev/tty", O_RDWR | O_CLOEXEC | O_NOCTTY)), own_group_(getpgrp()) {}

bool Terminal::is_ours() const noexcept { return fd_ && tcgetpgrp(fd_.get()) == own_group_; }

bool Terminal::is_for_command() const noexcept {
  return is_ours() && isatty(STDIN_FILENO) == 1 && isatty(STDOUT_FILENO) == 1;
}

void Terminal::give_to(pid_t group) const noexcept {
  if (fd_) {
    (void)tcsetpgrp(fd_.get(), group);
  }
}

void Terminal::take_from(pid_t group) const noexcept {
  if (fd_ && tcgetpgrp(fd_.get()) == group) {
    (void)tcsetpgrp(fd_.get(), own_group_);
  }
}

}  // namespace distributex::client
