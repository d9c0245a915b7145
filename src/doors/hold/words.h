// SPDX-License-Identifier: MIT
// The lines that the stream of a hold has after its first line.
#pragma once

#include <string>
#include <string_view>

#include "doors/door.h"

namespace distributex {

// Sent while the lock is held: an empty line, or an empty JSON object.
[[nodiscard]] std::string_view sign_of_life(Form form);
// The last line of a stream whose lock has ended.
[[nodiscard]] std::string lost_line(Form form, std::string_view why);

}  // namespace distributex
