// SPDX-License-Identifier: MIT
// Steps on connections, one after the other: made at random, carried out on a daemon, and
// written as text, so that they can be repeated.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace distributex::fuzz {

struct Step {
  enum class Kind { open, send, pause, half, reset, close, check };
  Kind kind = Kind::check;
  unsigned connection = 0;  // pause: milliseconds
  std::string bytes{};      // send
};
using Steps = std::vector<Step>;

// "send 17 GET\x20/": one line each.
[[nodiscard]] std::string text_of(const Steps& steps);
// Nothing when a line is no step.
[[nodiscard]] std::optional<Steps> steps_of(std::string_view text);

}  // namespace distributex::fuzz
