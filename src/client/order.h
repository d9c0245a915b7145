// SPDX-License-Identifier: MIT
//
// The operators' orders: --freeze, --thaw and --evict. Runs no command.
#pragma once

#include "client/options.h"

namespace distributex::client {

// Asks the servers in turn until one answers, prints one line, and returns the exit code.
[[nodiscard]] int give_order(const Options& options);

}  // namespace distributex::client
