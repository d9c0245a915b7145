// SPDX-License-Identifier: MIT
//
// What the client says to people: one line on stderr, written with one call so that the lines of
// many clients do not mix. stdout belongs to the command.
#pragma once

namespace distributex::client {

enum class Loudness { quiet, normal, verbose };

void set_loudness(Loudness loudness);
[[nodiscard]] bool is_verbose();

// A failure. Not shown when quiet.
void complain(const char* format, ...) __attribute__((format(printf, 1, 2)));
// What is going on. Shown when verbose only.
void tell(const char* format, ...) __attribute__((format(printf, 1, 2)));

}  // namespace distributex::client
