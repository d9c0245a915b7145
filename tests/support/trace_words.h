// SPDX-License-Identifier: MIT
// The words of a trace: cut apart, read as numbers, times and owners, and written.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "lock/words.h"

namespace distributex::test {

using Words = std::vector<std::string>;

[[nodiscard]] Words split(std::string_view text, char at);
[[nodiscard]] uint64_t number(const std::string& text);
[[nodiscard]] Duration length(const std::string& text);    // of seconds, "2.5"
[[nodiscard]] Owner owner_named(const std::string& text);  // "host" or "host/id"
// "10.0.0.1"; nothing for "unix".
[[nodiscard]] std::vector<uint8_t> address_named(const std::string& text);
// The value behind "name=" among the words.
[[nodiscard]] std::optional<std::string> option(const Words& words, const std::string& name);

[[nodiscard]] std::string shown(Duration d);
[[nodiscard]] std::string shown(const Owner& owner);

}  // namespace distributex::test
