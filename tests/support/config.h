// SPDX-License-Identifier: MIT
// Configurations in tests: a result of the parser as one line, to be compared
// with one literal, and tables of texts with their outcomes. No rule is here.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <variant>

#include "daemon/settings.h"

namespace distributex::test {

using ConfigResult = std::variant<Settings, std::string>;

// Each gives the error instead, where there is one.
[[nodiscard]] std::string options_of(const ConfigResult& result);  // numbers in the table's order
[[nodiscard]] std::string listen_of(const ConfigResult& result);   // "*:1,unix:/x"
[[nodiscard]] std::string pools_of(const ConfigResult& result);    // "a 1800s x1 for h i | b 0s x2"

// Such a result of a text, in a file of the name f.
[[nodiscard]] std::string options_in(std::string_view text);
[[nodiscard]] std::string pools_in(std::string_view text);

struct ConfigRow {
  std::string_view text;
  std::string_view outcome;
};

// What is the same for all rows of a table.
struct ConfigTable {
  std::string_view before = {};  // each text
  std::string_view after = {};   // each text
  std::string_view ending = {};  // of each outcome
  std::string (*show)(const ConfigResult&) = options_of;
};

// Fails the test at the first row with another outcome.
void check_config_rows(std::span<const ConfigRow> rows, const ConfigTable& table);

// The content of a file of etc/, which is found through $TOP.
[[nodiscard]] std::string path_in_etc(const char* name);
[[nodiscard]] std::string content_of(const std::string& file);

}  // namespace distributex::test
