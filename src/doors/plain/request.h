// SPDX-License-Identifier: MIT
// From a verb, a query and a form to a Command, or to the reason why not. Pure,
// and total: any bytes from the wire are a sound input. Writes no reply.
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
  std::string error;  // one clear sentence of printable ASCII; what it quotes of
                      // the input is short and percent-encoded
};

// The same into a command, whose verb is set; the sentence says what is wrong with it.
[[nodiscard]] Complaint read_parameters(std::string_view query, std::string_view form,
                                        Command& into);

// Reads the parameters of a verb from the query, then the form body (empty
// unless POST). The first of equal names counts; unknown names are ignored.
[[nodiscard]] std::variant<Command, Refusal> parse_request(Verb verb, std::string_view query,
                                                           std::string_view form);

}  // namespace distributex
