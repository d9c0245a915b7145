// SPDX-License-Identifier: MIT
// From a query and a form to what a Command says, or to the reason why not. Pure,
// and total: any bytes from the wire are a sound input. Writes no reply.
#pragma once

#include <string_view>

#include "doors/query.h"
#include "lock/words.h"

namespace distributex {

// Reads the parameters of a command, whose verb is set, from the query, then from the
// form body (empty unless POST). The first of equal names counts; unknown names are
// ignored. A complaint is one sentence of printable ASCII; what it quotes of the input
// is short and percent-encoded.
[[nodiscard]] Complaint read_parameters(std::string_view query, std::string_view form,
                                        Command& into);

}  // namespace distributex
