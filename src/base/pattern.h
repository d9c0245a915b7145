// SPDX-License-Identifier: MIT
// Names by pattern: `*` stands for any bytes, none included, and every other
// byte for itself. Pure; the cost is at most the product of both lengths.
#pragma once

#include <string_view>

namespace distributex {

enum class Letters { exact, any_case };  // any_case: ASCII letters only

[[nodiscard]] inline bool is_pattern(std::string_view name) {
  return name.find('*') != std::string_view::npos;
}

[[nodiscard]] bool matches(std::string_view pattern, std::string_view text,
                           Letters letters = Letters::exact);

// Whether this pattern matches every text that the other matches: exactly so where
// both are names or end in their only star; else a no may be too strict.
[[nodiscard]] bool covers(std::string_view pattern, std::string_view other);

// Whether some text matches both.
[[nodiscard]] bool patterns_meet(std::string_view a, std::string_view b);

}  // namespace distributex
