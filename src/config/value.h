// SPDX-License-Identifier: MIT
// Turns one node of the configuration into a value, or into a clause that says what is
// wrong with it ("70000 is out of range"). Knows the kinds of values, but no option and no
// default.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "config/option.h"
#include "config/yaml.h"

namespace distributex {

// What would be right, to follow "write ": "a whole number of seconds, 1 to 3600".
[[nodiscard]] std::string wanted(const Rule& rule);

// Stores the value into `to` if it is sound. A mistake has the position of the node, or of
// the item that is wrong. For Kind::maps it only checks that the node is a list with items,
// and does not change `to`.
[[nodiscard]] std::optional<Mistake> read_value(const Node& node, const Rule& rule, Value& to);

// Whether a text of UTF-8 has a control character (C0, C1 or DEL).
[[nodiscard]] bool has_control_character(std::string_view text);

// Whether the node is null in YAML: no text, or ~ or null without quotes.
[[nodiscard]] bool is_nothing(const Node& node);

// "a list", "a map", or the text itself in quotes, escaped and cut.
[[nodiscard]] std::string shown(const Node& node);

}  // namespace distributex
