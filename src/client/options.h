// SPDX-License-Identifier: MIT
//
// The command line of distributex: one table of options makes the parser and --help. Nothing is
// done here with what was asked for.
#pragma once

#include "client/clock.h"
#include "client/server.h"

#include <optional>
#include <string>
#include <vector>

namespace distributex::client {

enum class Mode { run, status, ping, help, version };

struct Options {
  Mode mode = Mode::run;
  std::vector<Server> servers;
  std::string pool;
  std::string id;     // empty: make one that is unique to the run
  std::string proxy;  // empty: none
  std::uint16_t port = 9889;
  bool local = false;
  bool json = false;
  bool verbose = false;
  bool quiet = false;
  std::optional<Span> wait;  // zero: do not wait
  Span lease = std::chrono::seconds(30);
  std::optional<int> not_obtained_code;
  std::vector<std::string> command;  // a program and its arguments

  [[nodiscard]] bool impatient() const { return wait == Span::zero(); }
};

// Exit codes, the manual's words for them beside.
constexpr int exit_usage = 64;         // the command line is wrong
constexpr int exit_unreachable = 69;   // no server in reach, or it refuses
constexpr int exit_lost = 74;          // the lock was lost while the command ran
constexpr int exit_not_obtained = 75;  // somebody else has it
constexpr int exit_cannot_run = 126;
constexpr int exit_not_found = 127;
constexpr int exit_by_signal = 128;  // and the signal's number

// Nothing when the command line is wrong; `error` then is one sentence.
[[nodiscard]] std::optional<Options> parse_options(int argc, char** argv, std::string& error);

[[nodiscard]] std::string help_text();

}  // namespace distributex::client
