// SPDX-License-Identifier: MIT
// Reads bodies in JSON, for all doors. A body that jansson refuses is refused.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <variant>

#include "base/json.h"

namespace distributex {

// Returns the object, or one sentence about what is wrong with the body.
[[nodiscard]] std::variant<Json, std::string> read_json_object(std::string_view body);

// Returns a view of the member's text; nullopt: there is no such member, or it is no text.
[[nodiscard]] std::optional<std::string_view> text_member(const json_t* object, const char* name);

}  // namespace distributex
