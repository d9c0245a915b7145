// SPDX-License-Identifier: MIT
// Standard input, output and error may be closed when a program starts. Then the next file
// or socket that it opens would get their number, receive log lines, or be handed to a child
// as its input.
#pragma once

namespace distributex {

// Opens /dev/null, close-on-exec, on each of the descriptors 0, 1 and 2 that is closed.
// Must be called before any other file is opened. Returns false on failure; errno says why.
[[nodiscard]] bool open_missing_standard_fds() noexcept;

// Whether open_missing_standard_fds() has opened this descriptor, so that what is written to it
// is lost.
[[nodiscard]] bool was_missing(int standard_fd) noexcept;

}  // namespace distributex
