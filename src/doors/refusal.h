// SPDX-License-Identifier: MIT
// The status of a refusal. Every door answers a client that has no right to what it asks
// for in the same way: 401 with the ways to log in if a proof would help, else 403. For
// other faults a door may have other statuses.
#pragma once

#include <optional>

#include "http/message.h"
#include "lock/words.h"

namespace distributex {

// The status of the fault, for a door that has no other.
[[nodiscard]] int fault_status(Fault fault);

// 401 or 403; nullopt: the fault has another reason than the client's rights.
[[nodiscard]] std::optional<int> refusal_status(Fault fault);

// Adds WWW-Authenticate if the status is 401.
void add_login(HttpReply& reply);

}  // namespace distributex
