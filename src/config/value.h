// SPDX-License-Identifier: MIT
// From one node of the configuration to a value, or to a clause that says what
// is wrong with it ("70000 is out of range"). The kinds of values are known
// here, but no option and no default.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "config/option.h"
#include "config/yaml.h"

namespace distributex {

// What would be right, after "write ": "a whole number of seconds, 1 to 3600".
[[nodiscard]] std::string wanted(const Rule& rule);

// Stores into `to` only what is sound. A mistake is about the node, or about
// the one item of it that is wrong. Of a list of maps only that it is a list
// with items is checked, and `to` stays.
[[nodiscard]] std::optional<Mistake> read_value(const Node& node, const Rule& rule, Value& to);

// Of UTF-8 text: whether a byte or character of it is no printing one.
[[nodiscard]] bool has_control_character(std::string_view text);

// Whether YAML means nothing by it: no text, ~ or null without quotes.
[[nodiscard]] bool is_nothing(const Node& node);

// "a list", "a map", or the text itself in quotes, escaped and cut.
[[nodiscard]] std::string shown(const Node& node);

}  // namespace distributex
