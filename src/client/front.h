// SPDX-License-Identifier: MIT
//
// The process that was started by the user, while a command runs: signals, job control and the exit
// code pass through it. When the keeper dies or stands still, the front ends everything before the
// lease ends, and gives the lock back. Until then it speaks no HTTP.
#pragma once

#include "client/keeper.h"

namespace distributex::client {

// Runs the command under the lock. Returns in both processes that this makes of the caller: each is
// to end so.
[[nodiscard]] Ending run_under_lock(const Options& options, const Identity& identity,
                                    const Requests& requests, const Descriptors& descriptors,
                                    Api& api, Signals& signals, const Holding& holding);

}  // namespace distributex::client
