// SPDX-License-Identifier: MIT
// How each door answers who may not: 401 with the ways to log in where a proof would
// help, 403 where none would. Other faults are the door's own matter.
#pragma once

#include <optional>

#include "http/message.h"
#include "lock/words.h"

namespace distributex {

// nullopt: the fault is not one of rights.
[[nodiscard]] std::optional<int> refusal_status(Fault fault);

// Adds what 401 must carry; nothing for other statuses.
void add_login(HttpReply& reply);

}  // namespace distributex
