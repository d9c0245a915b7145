// SPDX-License-Identifier: MIT
// Which bytes may stand where in a request.
#pragma once

#include <algorithm>
#include <array>
#include <string_view>

namespace distributex {

using Characters = std::array<bool, 256>;

// The set of ASCII letters, digits, and the characters of `others`.
constexpr Characters set_of(std::string_view others) {
  Characters set{};
  for (unsigned char c = '0'; c <= '9'; ++c) {
    set[c] = true;
  }
  for (unsigned char c = 'a'; c <= 'z'; ++c) {
    set[c] = set[static_cast<size_t>(c - 'a' + 'A')] = true;
  }
  for (const char c : others) {
    set[static_cast<unsigned char>(c)] = true;
  }
  return set;
}

// The characters of a header's name (RFC 9110, section 5.6.2).
inline constexpr Characters of_names = set_of("!#$%&'*+-.^_`|~");
// The characters of a Host header: a name or an address, and a port (RFC 3986, section
// 3.2.2).
inline constexpr Characters of_hosts = set_of("-._~%!$&'()*+,;=:[]");

[[nodiscard]] inline bool is_of(const Characters& set, char c) {
  return set[static_cast<unsigned char>(c)];
}
[[nodiscard]] inline bool is_of(const Characters& set, std::string_view text) {
  return std::all_of(text.begin(), text.end(), [&](char c) { return is_of(set, c); });
}

}  // namespace distributex
