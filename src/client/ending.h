// SPDX-License-Identifier: MIT
//
// How the client ends: its exit codes, and the one case in which it ends by a signal instead.
#pragma once

namespace distributex::client {

constexpr int exit_unwritten = 1;      // the standard output cannot be written
constexpr int exit_usage = 64;         // the command line is wrong
constexpr int exit_unreachable = 69;   // no server answered, or it refuses
constexpr int exit_system = 71;        // the system refuses what the client cannot do without
constexpr int exit_lost = 74;          // the lock was lost while the command ran
constexpr int exit_not_obtained = 75;  // a server said that no lock is free
constexpr int exit_cannot_run = 126;
constexpr int exit_not_found = 127;
constexpr int exit_by_signal = 128;  // and the signal's number

// An exit code, or a signal that the client got and now ends by. With an exit code instead, a
// service manager would count its own signal as a failure of the service, and a shell could not
// see that Ctrl-C is meant for it as well.
struct Ending {
  int code = 0;
  int signal = 0;  // 0: exit with the code
};

[[nodiscard]] constexpr Ending ended_by(int signal) { return {exit_by_signal + signal, signal}; }

}  // namespace distributex::client
