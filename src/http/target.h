// SPDX-License-Identifier: MIT
// A request's target, split at its first '?'. Pure, and total.
#pragma once

#include <string_view>

namespace distributex {

struct Target {
  std::string_view path;  // as sent: not decoded; without scheme, authority and
                          // fragment, and without the slashes around it
  std::string_view query;
};
[[nodiscard]] Target split_target(std::string_view target);

}  // namespace distributex
