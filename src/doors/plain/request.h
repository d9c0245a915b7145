// SPDX-License-Identifier: MIT
// Turns a query and a form into the parameters of a Command, or into a complaint. Pure, and
// total: any bytes from the wire are a sound input. Writes no reply.
#pragma once

#include <string_view>

#include "doors/query.h"
#include "lock/words.h"

namespace distributex {

// Reads the parameters of a command, whose verb is set, from the query, then from the form
// (empty unless POST). If a name comes more than once, the first one counts; unknown names
// are ignored. Returns what is wrong, as one sentence of printable ASCII that quotes input
// short and percent-encoded; empty: the command is sound.
[[nodiscard]] Complaint read_parameters(std::string_view query, std::string_view form,
                                        Command& into);

}  // namespace distributex
