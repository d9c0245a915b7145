// SPDX-License-Identifier: MIT
//
// What the client says to people: one line on stderr, written with one call so that the lines of
// many clients do not mix. stdout belongs to the command.
#pragma once

#include <string>
#include <string_view>

namespace distributex::client {

enum class Loudness { quiet, normal, verbose };

void set_loudness(Loudness loudness);

// A failure. Not shown when quiet.
void complain(const char* format, ...) __attribute__((format(printf, 1, 2)));
// What is going on. Shown when verbose only.
void tell(const char* format, ...) __attribute__((format(printf, 1, 2)));

// Makes what another host or a file says safe to show on a terminal, in at most 200 bytes.
[[nodiscard]] std::string printable(std::string_view text);

// Ends this process with exit_system: the system refused `call`, and errno says why. The other
// process of a running client then ends the command and gives the lock back.
[[noreturn]] void give_up(const char* call) noexcept;
// From now on an allocation that fails ends this process in the same way.
void give_up_when_out_of_memory();

}  // namespace distributex::client
