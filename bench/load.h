// SPDX-License-Identifier: MIT
// The workloads and their parameters. One workload makes one measurement of a server that
// runs already, and adds its figures to a line.
#pragma once

#include <stdint.h>
#include <sys/types.h>

#include <chrono>
#include <string>

#include "load_figures.h"
#include "load_net.h"

namespace bench {

struct Task {
  std::string server;    // its name in the results
  std::string workload;  // one of the functions below
  std::string peer;      // another service, see load_peer.h; empty: a daemon
  Address address;
  pid_t pid = 0;
  size_t clients = 1;
  size_t pools = 0;    // each client uses all of these in turn; 0: each has a pool of its own
  size_t leases = 0;   // held meanwhile; for expire: that end
  double seconds = 1;  // how long to measure
  size_t ops = 0;      // number of pairs or hand-overs; 0: measure by time
  bool apart = false;  // pairs: a new connection for each request
  unsigned round = 1;

  [[nodiscard]] Clock::duration length() const {
    return std::chrono::duration_cast<Clock::duration>(Seconds(seconds));
  }
};

// get and release in a loop.
void pairs(const Task& task, Line& line);
// One get each, then renewals in a loop.
void renewals(const Task& task, Line& line);
// All clients want one lock; each gives it back at once.
void handoff(const Task& task, Line& line);
// One client waits; how long after the release is sent has it the lock?
void wake(const Task& task, Line& line);
// Many clients wait for one lock; then each gets it and gives it back.
void parked(const Task& task, Line& line);
// Many hold locks by their connections.
void holds(const Task& task, Line& line);
// Many leases end within one second; some have a waiter, who sees when.
void expire(const Task& task, Line& line);

// Takes leases: the pools from p0 on, one after the other, or p0 alone.
void hold_leases(const Task& task, Loop& loop);
void fill(const Task& task, Line& line);
// Clients wait in the pool "parked" until the program is ended; says when all do.
void stay(const Task& task, Line& line);
// pairs and handoff, by clients of another service.
void peer_load(const Task& task, Line& line);

// CPU and time since it was constructed.
class Meter {
 public:
  explicit Meter(pid_t pid) : pid_(pid) {}
  [[nodiscard]] double seconds() const { return Seconds(Clock::now() - start_).count(); }
  [[nodiscard]] double cpu() const { return cpu_seconds(pid_) - cpu_; }
  // rate, CPU of the server for each of count things, and the load's own part.
  void add_rates(Line& line, double count) const {
    const double time = seconds();
    line.add("rate", count / time, 0);
    line.add("cpu_us", count > 0 ? cpu() * 1e6 / count : 0, 2);
    line.add("server_cpu", cpu() / time, 2);
    line.add("load_cpu", (own_cpu_seconds() - own_) / time, 2);
  }

 private:
  pid_t pid_;
  Time start_ = Clock::now();
  double cpu_ = cpu_seconds(pid_);
  double own_ = own_cpu_seconds();
};

}  // namespace bench
