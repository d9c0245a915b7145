// SPDX-License-Identifier: MIT
// The parameters of operators' verbs. Pure, and total: any bytes from the wire are a
// sound input.
#pragma once

#include <string>
#include <string_view>
#include <variant>

#include "doors/query.h"
#include "lock/words.h"

namespace distributex {

// Reads the query, then the form. If a name comes more than once, the first one counts.
[[nodiscard]] std::variant<Command, Complaint> parse_order(Verb verb, std::string_view query,
                                                           std::string_view form);

}  // namespace distributex
