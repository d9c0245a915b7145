// SPDX-License-Identifier: MIT
// What the stream of a hold says after its first line.
#pragma once

#include <string>
#include <string_view>

#include "doors/door.h"

namespace distributex {

// An empty line, or an empty object.
[[nodiscard]] std::string_view sign_of_life(Form form);
// The last line of a stream whose lock has ended.
[[nodiscard]] std::string lost_line(Form form, std::string_view why);

}  // namespace distributex
