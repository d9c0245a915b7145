// SPDX-License-Identifier: MIT
// What a FleetLock client sends.
#pragma once

#include <string>
#include <string_view>

#include "support/http.h"

namespace distributex::test {

[[nodiscard]] std::string fleet_body(std::string_view id, std::string_view group);
// step is "pre-reboot" or "steady-state".
[[nodiscard]] std::string fleet_request(std::string_view step, std::string_view id,
                                        std::string_view group);
[[nodiscard]] Response ask_fleet(uint16_t port, std::string_view step, std::string_view id,
                                 std::string_view group);

}  // namespace distributex::test
