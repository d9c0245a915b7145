// SPDX-License-Identifier: MIT
//
// Where options come from: the command line, the environment, the file of this host. The first of
// them that names an option has it.
#pragma once

#include <optional>
#include <string>

#include "client/options.h"

namespace distributex::client {

// Takes DISTRIBUTEX_SECRET out of the environment: no command shall inherit it. Nullopt when
// something is wrong; `error` then is one sentence.
[[nodiscard]] std::optional<Options> gather_options(int argc, char** argv, std::string& error);

// Applies lines of "option: value", with long names, # for comments, and %h for the name of this
// host, which `host_name` finds. False when one is wrong; `error` then begins with its number.
[[nodiscard]] bool apply_conf(std::string_view text, std::string (*host_name)(), Options& options,
                              std::string& error);

}  // namespace distributex::client
