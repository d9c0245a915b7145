// SPDX-License-Identifier: MIT
// Threads beside the loop's.
#pragma once

#include <pthread.h>

namespace distributex {

// Starts a thread that calls run(argument), under this name (at most 15 bytes). All signals
// are blocked in it: the loop's thread handles them. If the system refuses the thread, the
// process ends with a line in the log.
[[nodiscard]] pthread_t start_thread(const char* name, void* (*run)(void*), void* argument);

}  // namespace distributex
