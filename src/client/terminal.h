// SPDX-License-Identifier: MIT
//
// The controlling terminal and which process group is in its foreground. The command runs in a
// process group of its own; to read from the terminal, and to be stopped from it, that group must
// be the foreground group.
#pragma once

#include <sys/types.h>

#include "base/handle.h"

namespace distributex::client {

class Terminal {
 public:
  // Without a controlling terminal (cron) all of this does nothing.
  Terminal();

  // True when our own group is in the foreground now.
  [[nodiscard]] bool is_ours() const noexcept;
  // True when the command should start in the foreground: the client's group is there, and no pipe
  // ties the client to others that may read from the terminal (a pager). Behind a pipe, a command
  // that reads is stopped by the kernel and gets the terminal then.
  [[nodiscard]] bool is_for_command() const noexcept;
  // Async-signal-safe. SIGTTOU must be blocked.
  void give_to(pid_t group) const noexcept;
  // Back to our own group, when `group` has it.
  void take_from(pid_t group) const noexcept;

 private:
  Fd fd_;
  pid_t own_group_;
};

}  // namespace distributex::client
