// SPDX-License-Identifier: MIT
//
// Messages to the user: each is one line on stderr, written by one call so that the lines of many
// clients do not mix. stdout belongs to the command.
#pragma once

#include <string>
#include <string_view>

namespace distributex::client {

enum class Loudness { quiet, normal, verbose };

void set_loudness(Loudness loudness);

// Tells of a failure, unless quiet.
void complain(const char* format, ...) __attribute__((format(printf, 1, 2)));
// Tells what is going on, if verbose.
void tell(const char* format, ...) __attribute__((format(printf, 1, 2)));

// Makes a text of another host or a file safe to show on a terminal, in at most 200 bytes.
[[nodiscard]] std::string printable(std::string_view text);

// Ends this process with exit_system: the system refused `call`, and errno says why. The other
// process of a running client then ends the command and gives the lock back.
[[noreturn]] void give_up(const char* call) noexcept;
// From now on an allocation that fails ends this process in the same way.
void give_up_when_out_of_memory();

}  // namespace distributex::client
