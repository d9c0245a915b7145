// SPDX-License-Identifier: MIT
// Events that the process cannot do without.
#pragma once

#include <event2/event.h>

namespace distributex {

// Waits for the event from now on. A descriptor or a signal that the kernel will not
// watch (epoll_ctl(2): no memory, or /proc/sys/fs/epoll/max_user_watches is reached)
// ends the process with a word in the log and EX_OSERR. Timers never fail.
void must_add(event* awaited);

}  // namespace distributex
