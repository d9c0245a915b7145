// SPDX-License-Identifier: MIT
//
// The processes below this one. A process leaves its group by setsid; it does not leave the tree of
// parents, as long as the root of the tree adopts orphans. So "everything that the command started"
// is the tree below a process that has called adopt_orphans.
#pragma once

#include <sys/types.h>

#include <string>

namespace distributex::client {

// Orphans among the descendants of this process become its children instead of init's.
void adopt_orphans() noexcept;

// Signals descendants, and says once what stands in the way.
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
