// SPDX-License-Identifier: MIT
// Patterns of names: a '*' stands for any bytes, none included.
#pragma once

#include <string_view>

namespace distributex {

[[nodiscard]] inline bool is_pattern(std::string_view name) {
  return name.find('*') != std::string_view::npos;
}

// Compares byte by byte. At a mismatch the last '*' takes one byte more, so the
// cost is at most the product of both lengths.
[[nodiscard]] constexpr bool matches(std::string_view pattern, std::string_view name) {
  size_t p = 0;
  size_t n = 0;
  size_t star = std::string_view::npos;
  size_t taken = 0;
  while (n < name.size()) {
    if (p < pattern.size() && pattern[p] == '*') {
      star = p++;
      taken = n;
    } else if (p < pattern.size() && pattern[p] == name[n]) {
      ++p;
      ++n;
    } else if (star != std::string_view::npos) {
      p = star + 1;
      n = ++taken;
    } else {
      return false;
    }
  }
  while (p < pattern.size() && pattern[p] == '*') {
    ++p;
  }
  return p == pattern.size();
}

}  // namespace distributex
