// SPDX-License-Identifier: MIT
// A request's target, split at its first '?'. Pure, and total.
#pragma once

#include <string_view>

namespace distributex {

struct Target {
  std::string_view path;  // not decoded; without scheme, authority, fragment, outer slashes
  std::string_view query;
};
[[nodiscard]] Target split_target(std::string_view target);

}  // namespace distributex
