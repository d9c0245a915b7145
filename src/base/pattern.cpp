// SPDX-License-Identifier: MIT
// Matching goes back to the last star only: an earlier one cannot do what the
// last one cannot.
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
  size_t taken = 0;                            // where the star's text ends
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

// A star of the other pattern is a byte that only a star of this one can match,
// since no byte of this one but a star is a star; and what a star matches may
// as well be longer.
bool covers(std::string_view pattern, std::string_view other) { return matches(pattern, other); }

// met[j] says, after i bytes of a, whether they and j bytes of b have a text in
// common.
bool patterns_meet(std::string_view a, std::string_view b) {
  std::vector<bool> met(b.size() + 1);
  met[0] = true;
  for (size_t j = 0; j < b.size(); ++j) {
    met[j + 1] = met[j] && b[j] == '*';
  }
  for (const char c : a) {
    bool diagonal = met[0];  // before this byte of a, one byte of b less
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
