// SPDX-License-Identifier: MIT
// Patterns for names: `*` stands for any number of bytes, also none; every other byte stands
// for itself. Pure; the cost is at most the product of both lengths.
#pragma once

#include <string_view>

namespace distributex {

enum class Letters { exact, any_case };  // any_case: ASCII letters only

[[nodiscard]] inline bool is_pattern(std::string_view name) {
  return name.find('*') != std::string_view::npos;
}

[[nodiscard]] bool matches(std::string_view pattern, std::string_view text,
                           Letters letters = Letters::exact);

// Whether `pattern` matches every text that `other` matches. True is always right. False may
// be wrong, unless each of the two is a name or has one star, at its end.
[[nodiscard]] bool covers(std::string_view pattern, std::string_view other);

// Whether there is a text that both patterns match.
[[nodiscard]] bool patterns_meet(std::string_view a, std::string_view b);

}  // namespace distributex
