// SPDX-License-Identifier: MIT
//
// Where options come from: the command line goes before the environment, the environment before
// the file of this host.
#pragma once

#include <optional>
#include <string>

#include "client/options.h"

namespace distributex::client {

// Removes DISTRIBUTEX_SECRET from the environment, so that no command inherits it. If an option is
// wrong, returns nullopt and sets `error` to one sentence.
[[nodiscard]] std::optional<Options> gather_options(int argc, char** argv, std::string& error);

// Applies lines of "option: value", with long names, # for comments, and %h for the name of this
// host, which `host_name` finds. If a line is wrong, returns false, and `error` begins with the
// number of the line.
[[nodiscard]] bool apply_conf(std::string_view text, std::string (*host_name)(), Options& options,
                              std::string& error);

}  // namespace distributex::client
