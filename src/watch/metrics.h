// SPDX-License-Identifier: MIT
// What is counted, and the page that shows it to Prometheus. Counting is an
// increment; what a pool looks like just now is looked up when the page is
// asked for. The names of pools are the only label that has no end of its own:
// the configuration bounds them. No host ever is a label.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "lock/words.h"
#include "watch/standing.h"

namespace distributex {

// Each has a row in metrics.cpp.
enum class Count {
  grants,
  releases,
  expiries,
  undelivered,
  cancelled,
  strays,
  backend_errors,
  last  // no counter
};

// How often something took at most so long; the last count is for the rest.
struct Histogram {
  explicit Histogram(std::span<const Duration> buckets)
      : bounds(buckets), counts(buckets.size() + 1) {}
  void add(Duration took);

  std::span<const Duration> bounds;  // rising
  std::vector<uint64_t> counts;
  Duration sum{};
};

// What else the page tells, all of this moment.
struct MetricsView {
  Sight sight;
  std::string_view backend_name;
  bool backend_up;
  Duration uptime;
  size_t connections;
  size_t streams;
  uint64_t streams_dropped;
  uint64_t log_dropped;
};

class Metrics {
 public:
  Metrics();
  void count(Count what) { ++counts_[static_cast<size_t>(what)]; }
  void answered(Verb verb, Result result) {
    ++answers_[static_cast<size_t>(verb)][static_cast<size_t>(result)];
  }
  void waited(Duration took) { waited_.add(took); }
  void held(Duration took) { held_.add(took); }
  void backend_took(Duration took) { backend_.add(took); }

  // In Prometheus' text format.
  [[nodiscard]] std::string page(const MetricsView& view) const;

 private:
  std::array<uint64_t, static_cast<size_t>(Count::last)> counts_{};
  std::array<std::array<uint64_t, result_count>, verb_count> answers_{};  // by Verb and Result
  Histogram waited_;
  Histogram held_;
  Histogram backend_;
};

}  // namespace distributex
