// SPDX-License-Identifier: MIT
// Waiting for quiet, and judging it.
#include "calm.h"

#include <stdio.h>
#include <stdlib.h>

#include "support/http.h"
#include "support/status.h"

namespace distributex::soak {

namespace {

constexpr milliseconds idle_while{3000};
constexpr std::chrono::seconds quiet_within{30};  // leases, deadlines, idle connections

// Over memcached, two threads ping it once a second and read its freezes more often. With
// sanitizers, freed memory is kept, and some of their threads wake up by themselves.
Bounds bounds_for(const Service& service) {
  Bounds bounds;
  if (service.kind() == Kind::shared) {
    bounds.wakeups = 15;
  }
  const char* sanitizers = getenv("SAN");
  if (!sanitizers || !*sanitizers) {
    return bounds;
  }
  return {.rss_growth_kib = 1L << 20, .wakeups = 20, .cpu = milliseconds(200)};
}

// If a server finds leases at its start, it counts their ends, but an earlier process or
// another server counted their grants.
bool keeps_count(const Service& service) {
  return service.size() == 1 && service.kind() != Kind::stored;
}

}  // namespace

void Calms::have_one() {
  if (!cast_.pause()) {
    world_.findings.add("a client does not come to the end of its scene");
  }
  faults_.mend();
  size_t seat = 0;
  for (const auto& service : world_.services) {
    if (service->kind() != Kind::steady) {
      let_go_of_all(*service);
    }
    for (size_t i = 0; i < service->size(); i++) {
      judge(*service, i, seat++);
    }
    const std::string wrong = service->ledger().settle(Clock::now());
    if (!wrong.empty()) {
      world_.findings.add("%s: %s", service->name(), wrong.c_str());
    }
  }
  count_++;
  cast_.go_on();
}

// Releases locks without an end whose clients were not told of them, because the server
// was ended.
void Calms::let_go_of_all(Service& service) {
  const uint16_t port = service.ports()[0];
  for (const test::HolderState& holder : test::pool_state(port, "forever").holders) {
    std::string target = "/release/?pool=forever&token=" + std::to_string(holder.token);
    for (const auto& [key, value] : {std::pair{"host", holder.host}, {"id", holder.id}}) {
      if (value.empty()) {
        continue;
      }
      target.append("&").append(key).append("=");
      for (const char c : value) {
        char encoded[4];
        snprintf(encoded, sizeof encoded, "%%%02X", static_cast<unsigned char>(c));
        target += encoded;
      }
    }
    (void)test::fetch(port, target);
  }
}

Figures Calms::when_quiet(Service& service, size_t index) {
  Figures figures;
  (void)test::eventually(
      [&] {
        figures = look_at(service.daemon(index));
        return figures.is_quiet() && (!keeps_count(service) || adds_up(figures));
      },
      quiet_within);
  return figures;
}

void Calms::judge(Service& service, size_t index, size_t seat) {
  Figures figures = when_quiet(service, index);
  watch_idle(service.daemon(index), idle_while, figures);
  const bool is_pair = service.size() > 1;
  const std::string name =
      service.name() + (is_pair ? "-" + std::to_string(index + 1) : std::string());
  if (count_ == 0) {
    seats_.push_back({name, keeps_count(service), figures, figures});
  }
  seats_[seat].last = figures;
  say("calm: %s rss=%ldK fds=%ld held=%.0f waiting=%.0f wakeups=%.1f/s cpu=%ldms", name.c_str(),
      figures.rss_kib, figures.files, figures.held, figures.waiting, figures.wakeups,
      static_cast<long>(figures.cpu.count()));
  const std::string uneven = unevenness(seats_[seat].first, figures, bounds_for(service));
  if (!uneven.empty()) {
    world_.findings.add("%s: %s", name.c_str(), uneven.c_str());
  }
  if (keeps_count(service) && !adds_up(figures)) {
    world_.findings.add("%s: %.0f grants, but %.0f releases, %.0f expiries, %.0f undelivered",
                        name.c_str(), figures.grants, figures.releases, figures.expiries,
                        figures.undelivered);
  }
}

void Calms::print_table() const {
  printf("\n%-12s %15s %9s %5s %8s %11s %9s | %8s %8s %8s %7s %8s %7s\n", "", "rss KiB", "fds",
         "held", "waiting", "wakeups/s", "cpu ms", "grants", "releases", "expiries", "undeliv",
         "cancels", "dropped");
  for (const Seat& seat : seats_) {
    const Figures& a = seat.first;
    const Figures& b = seat.last;
    printf(
        "%-12s %7ld->%6ld %4ld->%3ld %5.0f %8.0f %5.1f->%4.1f %4ld->%3ld | %8.0f %8.0f %8.0f "
        "%7.0f %8.0f %3.0f/%.0f\n",
        seat.name.c_str(), a.rss_kib, b.rss_kib, a.files, b.files, b.held, b.waiting, a.wakeups,
        b.wakeups, static_cast<long>(a.cpu.count()), static_cast<long>(b.cpu.count()), b.grants,
        b.releases, b.expiries, b.undelivered, b.cancelled, b.streams_dropped, b.lines_dropped);
  }
  printf(
      "first calm -> last of %zu. Counters are since the daemon's last start; dropped: slow\n"
      "readers of events / lines of the log.\n",
      count_);
}

}  // namespace distributex::soak
