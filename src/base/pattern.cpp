// SPDX-License-Identifier: MIT
// When a byte does not match, only the last star takes a byte more: if no choice for the
// last star leads to a match, no choice for an earlier star does.
#include "base/pattern.h"

#include <cstddef>
#include <vector>

#include "base/text.h"

namespace distributex {

namespace {

bool same(char a, char b, Letters letters) {
  return letters == Letters::exact ? a == b : lower(a) == lower(b);
}

}  // namespace

bool matches(std::string_view pattern, std::string_view text, Letters letters) {
  size_t p = 0;
  size_t t = 0;
  size_t after_star = std::string_view::npos;  // in the pattern
  size_t taken = 0;                            // the end of the star's match, in the text
  while (t < text.size()) {
    if (p < pattern.size() && pattern[p] == '*') {
      after_star = ++p;
      taken = t;
    } else if (p < pattern.size() && same(pattern[p], text[t], letters)) {
      ++p;
      ++t;
    } else if (after_star != std::string_view::npos) {
      p = after_star;
      t = ++taken;
    } else {
      return false;
    }
  }
  return pattern.find_first_not_of('*', p) == std::string_view::npos;
}

// A star of `other` is matched like a byte. Only a star of `pattern` can match this byte,
// and that star also matches every text for which the star of `other` stands.
bool covers(std::string_view pattern, std::string_view other) { return matches(pattern, other); }

// After i bytes of a, met[j] says whether some text matches both these i bytes and the first
// j bytes of b.
bool patterns_meet(std::string_view a, std::string_view b) {
  std::vector<bool> met(b.size() + 1);
  met[0] = true;
  for (size_t j = 0; j < b.size(); ++j) {
    met[j + 1] = met[j] && b[j] == '*';
  }
  for (const char c : a) {
    bool diagonal = met[0];  // met[j] as it was before this byte of a
    met[0] = met[0] && c == '*';
    for (size_t j = 0; j < b.size(); ++j) {
      const bool above = met[j + 1];
      const bool star = c == '*' || b[j] == '*';
      met[j + 1] = star ? above || met[j] || diagonal : diagonal && c == b[j];
      diagonal = above;
    }
  }
  return met[b.size()];
}

}  // namespace distributex
