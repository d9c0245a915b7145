// SPDX-License-Identifier: MIT
// Computes what the daemon needs for the requests of a fleet, by the costs that
// bench/cost.sh has counted.
#pragma once

#include <map>
#include <optional>
#include <string>

#include "sim/fleet.h"

namespace distributex::sim {

// The rows of bench/cost.txt by their names.
class Costs {
 public:
  // Returns what is wrong with the file; nullopt: nothing.
  [[nodiscard]] std::optional<std::string> read(const std::string& path);
  [[nodiscard]] double of(const std::string& row) const { return rows_.at(row); }

 private:
  std::map<std::string, double> rows_;
};

// What one processor does in a second, which no count tells. With these figures a pair on a
// kept connection takes 27 microseconds; make bench measured 26 on a virtual machine of 2026.
struct Machine {
  double instructions = 2e9;  // in user space
  double calls = 500e3;       // system calls, with what the kernel does for them
};

// All figures are for a second, but for memory and sockets.
struct Need {
  double requests = 0;  // each is a connection, and a handshake where there is TLS
  double instructions = 0;
  double tls_instructions = 0;
  double calls = 0;
  double tls_calls = 0;
  double sockets = 0;
  double memory_mib = 0;
  double tls_memory_mib = 0;
  double syncs = 0;  // where no commit serves two changes
  double raft_entries = 0;

  [[nodiscard]] double share(const Machine& machine) const {
    return instructions / machine.instructions + calls / machine.calls;
  }
  [[nodiscard]] double tls_share(const Machine& machine) const {
    return tls_instructions / machine.instructions + tls_calls / machine.calls;
  }
};

[[nodiscard]] Need need_of(const Course& outcome, const Costs& costs);

}  // namespace distributex::sim
