// SPDX-License-Identifier: MIT
//
// The modes that run nothing: --status and --ping ask the servers in turn until one answers. Each
// function returns the exit code.
#pragma once

#include <functional>
#include <optional>
#include <string>

#include "client/options.h"
#include "client/reply.h"

namespace distributex::client {

[[nodiscard]] int print_status(const Options& options);
[[nodiscard]] int ping(const Options& options);
// Sends one request, by POST or by GET, to each server in turn until `take` returns an exit code
// for the answer.
[[nodiscard]] int ask_in_turn(
    const Options& options, const std::string& target, bool post,
    const std::function<std::optional<int>(const Server&, const RawAnswer&)>& take);
// Writes to the standard output; says why when that fails.
[[nodiscard]] int print(const std::string& text);

}  // namespace distributex::client
