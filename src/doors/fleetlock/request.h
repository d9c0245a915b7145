// SPDX-License-Identifier: MIT
// Reads the request of a FleetLock client. Pure, and total: any bytes are a sound input.
#pragma once

#include <string>
#include <string_view>
#include <variant>

namespace distributex {

// A node, and the group whose pool it asks for a slot.
struct FleetNode {
  std::string id;
  std::string group;
};

// Reads the body of a request. On failure returns one sentence about what is wrong with it.
[[nodiscard]] std::variant<FleetNode, std::string> read_fleet_node(std::string_view body);

}  // namespace distributex
