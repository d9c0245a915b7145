// SPDX-License-Identifier: MIT
// What a FleetLock client asks for. Pure, and total: any bytes are a sound input.
#pragma once

#include <string>
#include <string_view>
#include <variant>

namespace distributex {

// A node, and the group in which it takes its turn.
struct FleetNode {
  std::string id;
  std::string group;
};

// From the body of a request, JSON; or one sentence about what is wrong with it.
[[nodiscard]] std::variant<FleetNode, std::string> read_fleet_node(std::string_view body);

}  // namespace distributex
