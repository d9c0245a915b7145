// SPDX-License-Identifier: MIT
// From a method, a target and a body to a Command, or to the reason why not.
// Pure, and total: any bytes from the wire are a sound input. Knows no evhttp
// and writes no reply text.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <variant>

#include "lock/words.h"

namespace distributex {

// A target split at its first '?': the path as sent (not decoded, without
// scheme, authority and fragment), slashes around it stripped, and the query.
struct Target {
  std::string_view path;
  std::string_view query;
};
[[nodiscard]] Target split_target(std::string_view target);

struct Refusal {
  Fault fault;
  std::string error;  // one clear sentence of printable ASCII; what it quotes of
                      // the input is short and percent-encoded
};

// Reads the parameters of a verb from the query, then the form body (empty
// unless POST). The first of equal names counts; unknown names are ignored.
[[nodiscard]] std::variant<Command, Refusal> parse_request(Verb verb, std::string_view query,
                                                           std::string_view form);

// The value of one parameter, decoded and checked as a name (1 to 255 bytes of
// UTF-8 without control characters); nothing when absent or unsound.
[[nodiscard]] std::optional<std::string> query_value(std::string_view query, std::string_view name);

// Whether an Accept header names a type itself, with a q that is not 0.
[[nodiscard]] bool accepts(std::string_view accept, std::string_view type);
[[nodiscard]] inline bool accepts_json(std::string_view accept) {
  return accepts(accept, "application/json");
}

}  // namespace distributex
