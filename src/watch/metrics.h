// SPDX-License-Identifier: MIT
// The counters, and the page that shows them to Prometheus. Counting is an increment. The
// gauges of a pool are computed when the page is asked for. The names of pools are the only
// label whose number of values is not constant; the configuration bounds it. A host must
// never be a label.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "lock/figure.h"
#include "lock/words.h"
#include "watch/sight.h"

namespace distributex {

// A counter is distributex_NAME_total on the page. A new counter needs a row here, and
// count("NAME") in the code that it counts.
struct CounterRow {
  std::string_view name;
  const char* help;
};

inline constexpr CounterRow counters[] = {
    {"grants", "Locks granted."},
    {"releases", "Locks given back by their holders."},
    {"expiries", "Locks that ended because their time was over."},
    {"evictions", "Locks that an operator ended."},
    {"failed_runs", "Releases that said that the run had failed."},
    {"undelivered_grants",
     "Locks taken back because the client had gone before it heard of its grant."},
    {"cancelled_waits", "Clients that left while they waited for a lock."},
    {"stray_requests",
     "Requests refused before their verb was known: paths and methods that do not exist."},
    {"backend_errors", "Questions that the backend could not answer."},
};

// A counter by its name. A name without a row does not compile.
struct Count {
  size_t row = 0;
  consteval Count(const char* name) {  // NOLINT(google-explicit-constructor)
    while (counters[row].name != name) {
      ++row;
    }
  }
};

// counts[i]: durations up to bounds[i] and above bounds[i - 1]; the last count: longer ones.
struct Histogram {
  explicit Histogram(std::span<const Duration> buckets)
      : bounds(buckets), counts(buckets.size() + 1) {}
  void add(Duration took);

  std::span<const Duration> bounds;  // rising
  std::vector<uint64_t> counts;
  Duration sum{};
};

// The current values that the page shows beside the counters.
struct MetricsView {
  const Sight& sight;
  Time now;
  std::string_view backend_name;
  bool backend_up;
  Duration uptime;
  size_t connections;
  size_t streams;
  uint64_t streams_dropped;
  uint64_t log_dropped;
  std::vector<Figure> figures{};  // those of other parts of the server
};

class Metrics {
 public:
  Metrics();
  void count(Count what) { ++counts_[what.row]; }
  void answered(Verb verb, Result result) {
    ++answers_[static_cast<size_t>(verb)][static_cast<size_t>(result)];
  }
  void waited(Duration took) { waited_.add(took); }
  void held(Duration took) { held_.add(took); }
  void backend_took(Duration took) { backend_.add(took); }

  // In Prometheus' text format.
  [[nodiscard]] std::string page(const MetricsView& view) const;

 private:
  std::array<uint64_t, std::size(counters)> counts_{};
  std::array<std::array<uint64_t, result_count>, verb_count> answers_{};  // by Verb and Result
  Histogram waited_;
  Histogram held_;
  Histogram backend_;
};

}  // namespace distributex
