// SPDX-License-Identifier: MIT
// What a reload changes, what it cannot change, and the sentence about the latter.
// Pure: the caller reads the file and hands the new settings on.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "daemon/settings.h"

namespace distributex {

// What the command line says of where to listen: -l and -p.
struct ListenArguments {
  std::vector<std::string> addresses;
  std::optional<uint16_t> port;
};

// The addresses to listen on: -l replaces the configured ones, -p replaces every port.
[[nodiscard]] std::vector<std::string> addresses_of(const ListenArguments& arguments,
                                                    const std::vector<std::string>& configured);

// Names each option that only a restart would change, with the running value and that of the
// file; empty if there is none. Leaves out the options of other backends. Without
// `arguments` it leaves out `listen` as well: the sockets are inherited, and a restart
// inherits them again.
[[nodiscard]] std::string needs_restart(const Settings& running, const Settings& loaded,
                                        const std::optional<ListenArguments>& arguments);

// The loaded settings, with the running values of options that only a restart changes.
[[nodiscard]] Settings reloaded(const Settings& running, Settings loaded);

}  // namespace distributex
