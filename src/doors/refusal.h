// SPDX-License-Identifier: MIT
// The status of a refusal. Who may not is answered alike by every door: 401 with the
// ways to log in where a proof would help, 403 where none would. For other faults a
// door may have statuses of its own.
#pragma once

#include <optional>

#include "http/message.h"
#include "lock/words.h"

namespace distributex {

// The status of each fault where a door has none of its own.
[[nodiscard]] int fault_status(Fault fault);

// nullopt: the fault is not one of rights.
[[nodiscard]] std::optional<int> refusal_status(Fault fault);

// Adds what 401 must carry; nothing for other statuses.
void add_login(HttpReply& reply);

}  // namespace distributex
