// SPDX-License-Identifier: MIT
//
// The modes that run nothing: --status and --ping ask the servers in turn until one answers. Each
// function returns the exit code.
#pragma once

#include "client/options.h"

namespace distributex::client {

[[nodiscard]] int print_status(const Options& options);
[[nodiscard]] int ping(const Options& options);
// Writes to the standard output; says why when that fails.
[[nodiscard]] int print(const std::string& text);

}  // namespace distributex::client
