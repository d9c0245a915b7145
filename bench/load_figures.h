// SPDX-License-Identifier: MIT
// Computes figures from samples, reads what a process has used, and writes one line of
// JSON for each measurement. Knows no server and no workload.
#pragma once

#include <stdint.h>
#include <sys/types.h>

#include <string>
#include <string_view>
#include <vector>

namespace bench {

// The value below which this part of the samples lies; 0 if there are none.
[[nodiscard]] double quantile(std::vector<double> samples, double part);

// Jain's index of fairness: 1 if all shares are equal, 1/n if one client has everything.
[[nodiscard]] double jain(const std::vector<double>& shares);

// User and system, so far, of a process and of those that it has started.
[[nodiscard]] double cpu_seconds(pid_t pid);
[[nodiscard]] double own_cpu_seconds();
[[nodiscard]] double resident_kib(pid_t pid);

// {"name":value,...}, in the order of adding.
class Line {
 public:
  void add(std::string_view name, std::string_view text);
  void add(std::string_view name, double value, int decimals);
  // How long each waited (in microseconds), how often each had its turn, and how often
  // two had it at once.
  void add_turns(const std::vector<double>& waits, const std::vector<double>& shares,
                 uint64_t overlaps);
  void print() const;

 private:
  std::string text_;
};

}  // namespace bench
