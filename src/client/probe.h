// SPDX-License-Identifier: MIT
//
// The modes that run nothing: --status and --ping. Each asks the servers in turn until one answers;
// returns the exit code.
#pragma once

#include "client/options.h"

namespace distributex::client {

[[nodiscard]] int print_status(const Options& options);
[[nodiscard]] int ping(const Options& options);

}  // namespace distributex::client
