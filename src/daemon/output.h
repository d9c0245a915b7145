// SPDX-License-Identifier: MIT
// Prints what a run that serves nothing was started for: the help, a secret, a report.
#pragma once

#include <cstdio>
#include <string>

namespace distributex {

// Writes the text to stdout or stderr, all of it before it returns. Returns EX_OK. If the text
// cannot be written or the stream was closed at the start, says on stderr that `what` ("the
// help") could not be written, and returns EX_IOERR.
[[nodiscard]] int print(std::FILE* stream, const char* what, const std::string& text);

}  // namespace distributex
