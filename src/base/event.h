// SPDX-License-Identifier: MIT
// Events that the process cannot do without.
#pragma once

#include <event2/event.h>

namespace distributex {

// Adds the event to its loop. If the kernel refuses to watch its descriptor or signal
// (epoll_ctl(2): no memory, or /proc/sys/fs/epoll/max_user_watches is reached), the process
// ends with a line in the log and EX_OSERR. Timers never fail.
void must_add(event* awaited);

}  // namespace distributex
