// SPDX-License-Identifier: MIT
// Rows of one name stand together, as Prometheus needs them.
#include "backends/etcd/figures.h"

namespace distributex {

namespace {

double seconds_of(Duration duration) { return std::chrono::duration<double>(duration).count(); }

struct Row {
  const char* name;
  const char* help;
  std::pair<std::string, std::string> label;
  uint64_t value;
};

void add_counter(std::vector<Figure>& all, Row row) {
  all.push_back({.kind = Figure::Kind::counter,
                 .name = row.name,
                 .help = row.help,
                 .label = std::move(row.label),
                 .value = static_cast<double>(row.value)});
}

}  // namespace

void EtcdTraffic::took(Duration duration) {
  const double value = seconds_of(duration);
  seconds += value;
  for (size_t i = 0; i < bounds.size(); ++i) {
    if (value <= bounds[i]) {
      ++buckets[i];
    }
  }
}

void add_etcd_figures(std::vector<Figure>& all, const EtcdTraffic& traffic,
                      const EtcdCounts& counts, Duration watch_behind) {
  const char* requests = "Questions to etcd, by what became of them.";
  const char* ends = "Leases that this server ended, by whether it wrote them last.";
  const char* kinds = "Questions to etcd, by what they were for.";
  uint64_t upkeep = counts.transactions;
  for (const uint64_t asked : counts.asked) {
    upkeep -= asked;
  }
  const Row rows[] = {
      {"etcd_operations_total", kinds, {"operation", "acquire"}, counts.asked[0]},
      {"etcd_operations_total", kinds, {"operation", "release"}, counts.asked[1]},
      {"etcd_operations_total", kinds, {"operation", "renew"}, counts.asked[2]},
      {"etcd_operations_total", kinds, {"operation", "order"}, counts.asked[3]},
      {"etcd_operations_total", kinds, {"operation", "upkeep"}, upkeep},
      {"etcd_requests_total", requests, {"result", "answered"}, traffic.answered},
      {"etcd_requests_total", requests, {"result", "not_done"}, traffic.not_done},
      {"etcd_requests_total", requests, {"result", "unknown"}, traffic.unknown},
      {"etcd_logins_total", "Logins to etcd.", {}, traffic.logins},
      {"etcd_moves_total", "Moves from one endpoint to the next.", {}, traffic.moves},
      {"etcd_conflicts_total",
       "Transactions that failed because something had changed.",
       {},
       counts.conflicts},
      {"etcd_settled_total", "Writes of unknown outcome that were settled.", {}, counts.settled},
      {"etcd_ticks_total", "Steps of the shared clock by this server.", {}, counts.ticks},
      {"etcd_watches_total", "Watches opened.", {}, counts.watches},
      {"etcd_tickets_skipped_total",
       "Tickets of silent servers that grants deleted.",
       {},
       counts.skipped},
      {"etcd_leases_ended_total", ends, {"by", "keeper"}, counts.ended_kept},
      {"etcd_leases_ended_total", ends, {"by", "observer"}, counts.ended_seen},
  };
  for (const Row& row : rows) {
    add_counter(all, row);
  }
  Figure took{.kind = Figure::Kind::histogram,
              .name = "etcd_request_seconds",
              .help = "How long etcd took to answer.",
              .value = traffic.seconds,
              .count = traffic.answered};
  for (size_t i = 0; i < EtcdTraffic::bounds.size(); ++i) {
    took.buckets.emplace_back(EtcdTraffic::bounds[i], traffic.buckets[i]);
  }
  all.push_back(std::move(took));
  all.push_back(
      {.kind = Figure::Kind::gauge,
       .name = "etcd_watch_behind_seconds",
       .help = "For how long the watch has lacked a change that an answer told; 0: it lacks none.",
       .value = seconds_of(watch_behind)});
}

}  // namespace distributex
