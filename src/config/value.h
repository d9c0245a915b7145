// SPDX-License-Identifier: MIT
// From one node of the configuration to a number, a text or a list, or to a
// clause that says what is wrong with it ("70000 is out of range"). Knows what
// kinds of values there are, but no option and no default.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "config/yaml.h"

namespace distributex {

// What the value of an option may be.
struct Rule {
  enum class Kind { number, word, text, memcached, key_prefix, addresses, hosts, pools };
  Kind kind;
  uint32_t least = 0;  // of a number itself, of a text in bytes
  uint32_t most = 0;
  const char* note =
      "";  // number: its unit; word: the words, each followed by a comma but the last
};

// What would be right, after "write ": "a whole number of seconds, 1 to 3600".
[[nodiscard]] std::string wanted(const Rule& rule);

// Each stores into `to` only what is sound. A mistake is about the node, or
// about the one item of it that is wrong.
[[nodiscard]] std::optional<Mistake> read_number(const Node& node, const Rule& rule, uint32_t& to);
[[nodiscard]] std::optional<Mistake> read_text(const Node& node, const Rule& rule, std::string& to);
[[nodiscard]] std::optional<Mistake> read_list(const Node& node, const Rule& rule,
                                               std::vector<std::string>& to);

// Whether YAML means nothing by it: no text, ~ or null without quotes.
[[nodiscard]] bool is_nothing(const Node& node);

// "a list", "a map", or the text itself in quotes, escaped and cut.
[[nodiscard]] std::string shown(const Node& node);

}  // namespace distributex
