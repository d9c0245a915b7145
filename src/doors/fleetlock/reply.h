// SPDX-License-Identifier: MIT
// From an Answer to what a FleetLock client is told: 200 without a body, or another
// status and JSON with a kind and a sentence. Pure.
#pragma once

#include <chrono>
#include <string_view>

#include "http/message.h"
#include "lock/words.h"

namespace distributex {

[[nodiscard]] HttpReply fleetlock_reply(const Answer& answer);
[[nodiscard]] HttpReply fleetlock_error(int status, std::string_view kind, std::string_view value);

// A node that is told no asks again after five minutes and a part of a minute: so long,
// and as long again for one that has missed its turn, it keeps its place.
inline constexpr std::chrono::seconds fleet_pause{660};

}  // namespace distributex
