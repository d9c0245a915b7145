// SPDX-License-Identifier: MIT
//
// The controlling terminal and whose turn it is there. The command runs in a process group of its
// own; to read from the terminal, and to be stopped from it, that group must be the terminal's
// foreground group.
#pragma once

#include <sys/types.h>

namespace distributex::client {

class Terminal {
 public:
  // Without a controlling terminal (cron) all of this does nothing.
  Terminal();
  ~Terminal();
  Terminal(const Terminal&) = delete;
  Terminal& operator=(const Terminal&) = delete;

  // True when our own group is in the foreground now.
  [[nodiscard]] bool is_ours() const noexcept;
  // True when the command should start in the foreground: it is our turn, and no pipe ties us to
  // others who may want the terminal (a pager after us). Those get it on demand.
  [[nodiscard]] bool is_for_command() const noexcept;
  // Async-signal-safe. SIGTTOU must be blocked.
  void give_to(pid_t group) const noexcept;
  // Back to our own group, when `group` has it.
  void take_from(pid_t group) const noexcept;

 private:
  int fd_;
  pid_t own_group_;
};

}  // namespace distributex::client
