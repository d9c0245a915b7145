// SPDX-License-Identifier: MIT
//
// The environment variables that tell a command about its lock. A client inside such a command
// sees from them that it may wait for that lock.
#pragma once

#include "client/holding.h"

namespace distributex::client {

// DISTRIBUTEX_POOL, _HOST, _ID and _TOKEN, for the command.
void export_lock(const Options& options, const Identity& identity, const Holding& holding);

// Whether the client runs inside the command of a run with a lock of the same pool.
[[nodiscard]] bool is_inside_run(const Options& options);
// Warns that the wait may be for the lock of the surrounding run, and so may never end.
void warn_of_own_lock(const Options& options);

}  // namespace distributex::client
