// SPDX-License-Identifier: MIT
// Turns an Answer into the reply for a FleetLock client: 200 without a body, or another
// status and JSON with a kind and a sentence. Pure.
#pragma once

#include <chrono>
#include <string_view>

#include "http/message.h"
#include "lock/words.h"

namespace distributex {

[[nodiscard]] HttpReply fleetlock_reply(const Answer& answer);
[[nodiscard]] HttpReply fleetlock_error(int status, std::string_view kind, std::string_view value);

// So long a refused node keeps its place in the line. It asks again after five minutes and
// a part of a minute; the time is enough for a node that misses one such turn.
inline constexpr std::chrono::seconds fleet_pause{660};

}  // namespace distributex
