// SPDX-License-Identifier: MIT
// A commit only increments counters; add_to() makes the figures from them.
#include "backends/sqlite/figures.h"

#include <chrono>

namespace distributex {

namespace {

template <size_t size>
void count(double value, const std::array<double, size>& bounds,
           std::array<uint64_t, size>& counts) {
  for (size_t i = 0; i < size; ++i) {
    if (value <= bounds[i]) {
      ++counts[i];
    }
  }
}

template <size_t size>
Figure histogram(const char* name, const char* help, const std::array<double, size>& bounds,
                 const std::array<uint64_t, size>& counts) {
  Figure figure{.kind = Figure::Kind::histogram, .name = name, .help = help};
  for (size_t i = 0; i < size; ++i) {
    figure.buckets.emplace_back(bounds[i], counts[i]);
  }
  return figure;
}

Figure gauge(const char* name, const char* help, double value) {
  return {.kind = Figure::Kind::gauge, .name = name, .help = help, .value = value};
}

}  // namespace

void StoreFigures::committed(Duration took, size_t changes) {
  const double seconds = std::chrono::duration<double>(took).count();
  ++commits_;
  all_seconds_ += seconds;
  all_changes_ += changes;
  count(seconds, seconds_bounds, seconds_);
  count(static_cast<double>(changes), change_bounds, changes_);
}

void StoreFigures::add_to(std::vector<Figure>& all, Duration oldest_change) const {
  Figure took = histogram("store_commit_seconds", "How long a commit took, its sync included.",
                          seconds_bounds, seconds_);
  took.value = all_seconds_;
  took.count = commits_;
  all.push_back(std::move(took));
  Figure changes = histogram("store_batch_changes", "How many changes went into one commit.",
                             change_bounds, changes_);
  changes.value = static_cast<double>(all_changes_);
  changes.count = commits_;
  all.push_back(std::move(changes));
  all.push_back({.kind = Figure::Kind::counter,
                 .name = "store_commits_total",
                 .help = "Commits that are on the disk.",
                 .value = static_cast<double>(commits_)});
  // The kinds after `damaged` occur only at a start, which they end.
  for (size_t i = 0; i <= static_cast<size_t>(StoreTrouble::Kind::damaged); ++i) {
    all.push_back({.kind = Figure::Kind::counter,
                   .name = "store_failures_total",
                   .help = "Commits that the disk refused, or did not answer in time.",
                   .label = {"reason", name_of(static_cast<StoreTrouble::Kind>(i))},
                   .value = static_cast<double>(failures_[i])});
  }
  for (const auto& [file, bytes] :
       {std::pair{"database", sizes_.database}, std::pair{"wal", sizes_.wal}}) {
    all.push_back({.kind = Figure::Kind::gauge,
                   .name = "store_bytes",
                   .help = "Size of the store's files.",
                   .label = {"file", file},
                   .value = static_cast<double>(bytes)});
  }
  all.push_back(gauge("store_free_bytes", "Room that is left on the store's file system.",
                      static_cast<double>(sizes_.free)));
  all.push_back(gauge("store_oldest_change_seconds",
                      "How long the oldest change has waited to be stored.",
                      std::chrono::duration<double>(oldest_change).count()));
}

}  // namespace distributex
