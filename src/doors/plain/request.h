// SPDX-License-Identifier: MIT
// Turns a verb, a query and a form into a Command, or into a refusal. Pure, and total: any
// bytes from the wire are a sound input. Writes no reply.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <variant>

#include "doors/query.h"
#include "lock/words.h"

namespace distributex {

struct Refusal {
  Fault fault;
  std::string error;  // one clear sentence of printable ASCII; it quotes input short and
                      // percent-encoded
};

// The same, into a command whose verb is set. Returns what is wrong; empty: it is sound.
[[nodiscard]] Complaint read_parameters(std::string_view query, std::string_view form,
                                        Command& into);

// Reads the parameters of a verb from the query, then from the form (empty unless POST). If
// a name comes more than once, the first one counts; unknown names are ignored.
[[nodiscard]] std::variant<Command, Refusal> parse_request(Verb verb, std::string_view query,
                                                           std::string_view form);

}  // namespace distributex
