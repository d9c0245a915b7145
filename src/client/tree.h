// SPDX-License-Identifier: MIT
//
// The processes below this one. A process group is left by whoever calls setsid; the tree of
// parents is not, as long as its root adopts orphans. So "everything the command started" is the
// tree below a process that called adopt_orphans.
#pragma once

#include <sys/types.h>

namespace distributex::client {

// Orphans among our descendants become our children instead of init's.
void adopt_orphans() noexcept;

// Sends a signal to every descendant of the calling process, but not to members of the group
// `spared` (0: none is). Those that start meanwhile are missed: repeat until has_children says no.
void signal_descendants(int signal, pid_t spared);

// True while there is a child, zombies included.
[[nodiscard]] bool has_children() noexcept;

// True while the process group has a member, even one we may not signal.
[[nodiscard]] bool has_members(pid_t group) noexcept;

}  // namespace distributex::client
