// SPDX-License-Identifier: MIT
// The names of verbs and results on the wire, for the daemon and the client.
#pragma once

#include <optional>
#include <string_view>

#include "lock/words.h"

namespace distributex {

// "get"; the path of a verb is its name.
[[nodiscard]] std::string_view verb_name(Verb verb);
[[nodiscard]] std::optional<Verb> find_verb(std::string_view name);

// The name in Distributex-Result and in JSON: "granted", "not-held".
[[nodiscard]] std::string_view result_name(Result result);
[[nodiscard]] std::optional<Result> find_result(std::string_view name);

// The body of a text answer: "YES", "NO", "OK" or "INVALID".
[[nodiscard]] std::string_view result_word(Result result);

}  // namespace distributex
