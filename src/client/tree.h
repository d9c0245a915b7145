// SPDX-License-Identifier: MIT
//
// The descendants of this process. A process can leave its group by setsid, but not the tree of
// parents, if the root of the tree adopts orphans. So all that the command started is in the tree
// below a process that has called adopt_orphans().
#pragma once

#include <sys/types.h>

#include <string>

namespace distributex::client {

// Makes orphans among the descendants of this process its children instead of init's.
void adopt_orphans() noexcept;

// Signals descendants; tells the user once if that fails.
class Descendants {
 public:
  // Sends a signal to every descendant of the calling process, but not to members of the group
  // `spared` (0: to all). A process that starts meanwhile is missed: repeat until has_children says
  // no.
  void send(int signal, pid_t spared);

 private:
  bool has_complained_ = false;
};

// True while there is a child, zombies included.
[[nodiscard]] bool has_children() noexcept;

// True while the process group has a member, even one that may not be signalled.
[[nodiscard]] bool has_members(pid_t group) noexcept;

// "sleep (17), sh (18)": who is in the group, for people; empty where /proc does not tell.
[[nodiscard]] std::string describe_members(pid_t group);

}  // namespace distributex::client
