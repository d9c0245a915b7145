// SPDX-License-Identifier: MIT
// From /proc and /metrics.
#include "figures.h"

#include <poll.h>
#include <stdlib.h>

#include <filesystem>
#include <string_view>
#include <system_error>

#include "support/metrics.h"

namespace distributex::soak {

namespace {

// How often its threads have gone to sleep by themselves.
long sleeps_of(pid_t pid) {
  long sum = 0;
  std::error_code error;
  const std::string tasks = "/proc/" + std::to_string(pid) + "/task";
  for (const auto& task : std::filesystem::directory_iterator(tasks, error)) {
    const std::string status = test::read_whole_file(task.path().string() + "/status");
    constexpr std::string_view name = "\nvoluntary_ctxt_switches:";
    const size_t at = status.find(name);
    if (at != status.npos) {
      sum += atol(status.c_str() + at + name.size());
    }
  }
  return sum;
}

double value_of(const test::Samples& samples, const char* name) {
  const auto it = samples.find(std::string("distributex_") + name);
  return it == samples.end() ? -1 : it->second;
}

}  // namespace

Figures look_at(const Daemon& daemon) {
  const test::Samples samples = test::samples_of(daemon.port());
  Figures figures{.rss_kib = daemon.rss_kib(), .files = daemon.open_files()};
  for (const auto& [name, value] : samples) {
    if (name.starts_with("distributex_pool_held{")) {
      figures.held += value;
    }
  }
  figures.waiting = value_of(samples, "waiting_requests");
  figures.streams = value_of(samples, "event_streams");
  figures.connections = value_of(samples, "connections");
  figures.grants = value_of(samples, "grants_total");
  figures.releases = value_of(samples, "releases_total");
  figures.expiries = value_of(samples, "expiries_total");
  figures.evictions = value_of(samples, "evictions_total");
  figures.undelivered = value_of(samples, "undelivered_grants_total");
  figures.cancelled = value_of(samples, "cancelled_waits_total");
  figures.streams_dropped = value_of(samples, "event_streams_dropped_total");
  figures.lines_dropped = value_of(samples, "log_dropped_lines_total");
  return figures;
}

void watch_idle(const Daemon& daemon, milliseconds length, Figures& figures) {
  poll(nullptr, 0, 1000);  // a sweep follows the last connection
  const long sleeps = sleeps_of(daemon.pid());
  const milliseconds cpu = daemon.cpu_time();
  poll(nullptr, 0, static_cast<int>(length.count()));  // the measure's length
  const auto seconds = std::chrono::duration<double>(length).count();
  figures.wakeups = static_cast<double>(sleeps_of(daemon.pid()) - sleeps) / seconds;
  figures.cpu = daemon.cpu_time() - cpu;
  figures.rss_kib = daemon.rss_kib();
  figures.files = daemon.open_files();
}

std::string unevenness(const Figures& before, const Figures& now, const Bounds& bounds) {
  const auto told = [](const char* what, double was, double is) {
    return std::string(what) + " was " + std::to_string(was) + " and is " + std::to_string(is) +
           "; ";
  };
  std::string text;
  if (!now.is_quiet()) {
    text += "held " + std::to_string(now.held) + ", waiting " + std::to_string(now.waiting) +
            ", streams " + std::to_string(now.streams) + ", connections " +
            std::to_string(now.connections) + " when all have gone; ";
  }
  if (now.rss_kib > before.rss_kib + bounds.rss_growth_kib) {
    text +=
        told("resident KiB", static_cast<double>(before.rss_kib), static_cast<double>(now.rss_kib));
  }
  if (now.files != before.files) {
    text += told("descriptors", static_cast<double>(before.files), static_cast<double>(now.files));
  }
  if (now.wakeups > bounds.wakeups) {
    text += told("idle wake-ups a second", before.wakeups, now.wakeups);
  }
  if (now.cpu > bounds.cpu) {
    text += told("milliseconds of CPU while idle", static_cast<double>(before.cpu.count()),
                 static_cast<double>(now.cpu.count()));
  }
  return text;
}

// If an undelivered grant was released or ended before it could be taken back, both
// counters count it.
bool adds_up(const Figures& figures) {
  const double ended = figures.releases + figures.expiries + figures.evictions;
  return figures.grants >= ended && figures.grants <= ended + figures.undelivered;
}

}  // namespace distributex::soak
