// SPDX-License-Identifier: MIT
// What a reload changes, what it cannot, and the sentence about the latter.
// Pure: the file is read and the new settings are handed on by others.
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

// -l goes before the configuration, and -p before any port.
[[nodiscard]] std::vector<std::string> addresses_of(const ListenArguments& arguments,
                                                    const std::vector<std::string>& configured);

// Names each option that a restart would change, with what runs and what the
// file says now; empty when there is none. Without `arguments` the sockets are
// inherited, and a restart inherits them again: `listen` does not count. Nor do
// options of backends other than the one that runs.
[[nodiscard]] std::string needs_restart(const Settings& running, const Settings& loaded,
                                        const std::optional<ListenArguments>& arguments);

// The loaded settings, but what only a restart changes is as it runs.
[[nodiscard]] Settings reloaded(const Settings& running, Settings loaded);

}  // namespace distributex
