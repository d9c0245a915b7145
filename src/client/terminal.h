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
  // Without a controlling terminal (cron) all functions do nothing.
  Terminal();

  // Whether the client's group is in the foreground now.
  [[nodiscard]] bool is_ours() const noexcept;
  // Whether the command should start in the foreground: the client's group is there, and no pipe
  // connects the client with a program that may read from the terminal (a pager). If there is a
  // pipe and the command reads, the kernel stops it, and it gets the terminal then.
  [[nodiscard]] bool is_for_command() const noexcept;
  // Puts the group into the foreground. Async-signal-safe. SIGTTOU must be blocked.
  void give_to(pid_t group) const noexcept;
  // Puts the client's group back into the foreground if `group` is there.
  void take_from(pid_t group) const noexcept;

 private:
  Fd fd_;
  pid_t own_group_;
};

}  // namespace distributex::client
