// SPDX-License-Identifier: MIT
//
// The command line of distributex: the parser and --help come from one table of options. Other
// files do what the options ask for.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "client/clock.h"
#include "client/ending.h"
#include "client/proofs.h"
#include "client/server.h"

namespace distributex::client {

enum class Mode { run, status, ping, freeze, thaw, evict, help, version };

[[nodiscard]] constexpr bool is_order(Mode mode) {
  return mode == Mode::freeze || mode == Mode::thaw || mode == Mode::evict;
}

struct Options {
  Mode mode = Mode::run;
  std::vector<Server> servers;
  std::string pool;
  std::string id;     // empty: make one that is unique to the run
  std::string host;   // empty: the name of this host
  std::string proxy;  // empty: none
  Proofs proofs;
  std::uint16_t port = 9889;
  bool local = false;
  bool json = false;
  bool verbose = false;
  bool quiet = false;
  std::optional<Span> wait;  // zero: do not wait
  Span lease = std::chrono::seconds(30);
  std::optional<int> not_obtained_code;
  std::vector<int> success{0};       // exit codes of the command that are no failure
  std::string reason;                // of a freeze or an eviction; empty: none was given
  std::optional<Span> freeze_for;    // empty: until it is thawed
  int orders = 0;                    // how many of --freeze, --thaw and --evict were given
  std::uint64_t token = 0;           // of the lease to evict
  std::vector<std::string> command;  // a program and its arguments

  [[nodiscard]] bool impatient() const { return wait == Span::zero(); }
};

// Starts with the options `given`. If the command line is wrong, returns nullopt and sets `error`
// to one sentence.
[[nodiscard]] std::optional<Options> parse_options(int argc, char** argv, std::string& error,
                                                   Options given = {});

// Sets the option with this long name, which takes a value. If there is no such option or the value
// is wrong, returns false and sets `error` to one sentence.
[[nodiscard]] bool set_option(Options& options, std::string_view name, const std::string& value,
                              std::string& error);

[[nodiscard]] std::string help_text();

}  // namespace distributex::client
