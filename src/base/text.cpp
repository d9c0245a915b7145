// SPDX-License-Identifier: MIT
// Without printf and streams, for speed: answers and log lines are made with these functions.
#include "base/text.h"

#include <algorithm>
#include <array>

namespace distributex {

bool equal_ignoring_case(std::string_view a, std::string_view b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                    [](char x, char y) { return lower(x) == lower(y); });
}

std::string_view trimmed(std::string_view text, std::string_view what) {
  text.remove_prefix(std::min(text.find_first_not_of(what), text.size()));
  return text.substr(0, text.find_last_not_of(what) + 1);
}

std::string decimal(uint64_t number) {
  std::array<char, 20> digits;
  const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), number).ptr;
  return {digits.data(), end};
}

std::string escaped(std::string_view text, size_t max) {
  constexpr char digits[] = "0123456789abcdef";
  constexpr std::string_view dots = "...";
  std::string out;
  out.reserve(std::min(text.size(), max));
  size_t keep = 0;  // so many bytes of out leave room for the dots
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte >= 0x20 && byte <= 0x7e && c != '\\') {
      out += c;
    } else {
      out.append({'\\', 'x', digits[byte >> 4], digits[byte & 15]});
    }
    if (out.size() > max) {
      out.resize(keep);
      return out.append(dots.substr(0, max));
    }
    if (out.size() + dots.size() <= max) {
      keep = out.size();
    }
  }
  return out;
}

std::string in_quotes(std::string_view text, size_t max) { return '"' + escaped(text, max) + '"'; }

}  // namespace distributex
