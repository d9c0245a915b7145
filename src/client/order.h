// SPDX-License-Identifier: MIT
//
// What operators ask for: --freeze, --thaw and --evict. Nothing is run.
#pragma once

#include "client/options.h"

namespace distributex::client {

// Asks the servers in turn until one answers, prints one line, and returns the exit code.
[[nodiscard]] int give_order(const Options& options);

}  // namespace distributex::client
