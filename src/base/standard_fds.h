// SPDX-License-Identifier: MIT
// Standard input, output and error as a program finds them: any of them may be
// closed, and the next file or socket that is opened would take its number, get
// log lines, or be handed to a child as its input.
#pragma once

namespace distributex {

// Opens /dev/null, close-on-exec, on those of the descriptors 0, 1 and 2 that are
// closed. To be called before anything else is opened. False when that fails;
// errno says why.
[[nodiscard]] bool open_missing_standard_fds() noexcept;

}  // namespace distributex
