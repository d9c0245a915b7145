// SPDX-License-Identifier: MIT
//
// The process that was started by the user, while a command runs: signals, job control and the exit
// code pass through it, and should the keeper die or stand still, it ends everything before the
// lease does. It knows no HTTP until then.
#pragma once

#include "client/keeper.h"

namespace distributex::client {

// Runs the command under the lock. Returns in both processes that this makes of the caller: each is
// to end with the code it gets.
[[nodiscard]] int run_under_lock(const Options& options, const Identity& identity,
                                 const Requests& requests, const Descriptors& descriptors, Api& api,
                                 Signals& signals, const Holding& holding);

}  // namespace distributex::client
