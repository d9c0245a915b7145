// SPDX-License-Identifier: MIT
// If a server with its locks in memory stands still or reloads, it must answer all the
// same. Answers may only fail when a server ends, or memcached is in trouble.
#include "faults.h"

#include <signal.h>

#include <algorithm>
#include <numeric>
#include <thread>

#include "support/http.h"

namespace distributex::soak {

struct Faults::Row {
  const char* name;
  unsigned weight;
  bool (*befalls)(Kind);
  void (Faults::*strike)(Service&);
};

namespace {

bool anybody(Kind) { return true; }
bool mortals(Kind kind) { return kind != Kind::steady; }
bool sharers(Kind kind) { return kind == Kind::shared; }

constexpr const char* nonsense[] = {"pools:\n  - {name: mutex, expire: 3\n", "pools: []\n", "",
                                    "pools:\n  - {name: mutex}\n  - {name: mutex}\n",
                                    "backend: paper\npools:\n  - {name: a}\n"};

void sleep(milliseconds length) { std::this_thread::sleep_for(length); }  // a fault's length

}  // namespace

const Faults::Row Faults::rows[] = {
    {"stop", 6, anybody, &Faults::stand_still},
    {"reload", 8, anybody, &Faults::reload},
    {"nonsense", 2, anybody, &Faults::reload_nonsense},
    {"restart", 3, mortals, &Faults::restart},
    {"kill", 3, mortals, &Faults::kill},
    {"memcached-stop", 3, sharers, &Faults::memcached_stands_still},
    {"memcached-restart", 2, sharers, &Faults::memcached_restarts},
    {"memcached-flush", 1, sharers, &Faults::memcached_forgets},
};

Faults::Faults(World& world)
    : world_(world),
      dice_(world.settings.seed ^ 0xfa017),
      next_(Clock::now() + std::chrono::seconds(3)),
      struck_(std::size(rows)) {}

milliseconds Faults::some_time(int64_t most) {
  return milliseconds(static_cast<int64_t>(dice_.below(static_cast<uint64_t>(most))) + 50);
}

void Faults::strike_when_due() {
  if (Clock::now() < next_) {
    return;
  }
  strike();
  next_ = Clock::now() + milliseconds(500) + some_time(5500);
}

void Faults::strike() {
  Service& service = *world_.services[dice_.below(world_.services.size())];
  unsigned all = 0;
  for (const Row& row : rows) {
    all += row.befalls(service.kind()) ? row.weight : 0;
  }
  uint64_t left = dice_.below(all);
  for (size_t i = 0; i < std::size(rows); i++) {
    const Row& row = rows[i];
    const unsigned weight = row.befalls(service.kind()) ? row.weight : 0;
    if (left < weight) {
      ++struck_[i];
      return (this->*row.strike)(service);
    }
    left -= weight;
  }
}

// Stops a server for less than a lease. Over memcached it counts as trouble: the server's
// questions may be overdue when it goes on.
void Faults::stand_still(Service& service) {
  Daemon& daemon = service.daemon(dice_.below(service.size()));
  const bool excuses = service.kind() == Kind::shared;
  if (excuses) {
    service.trouble().begin();
  }
  daemon.send_signal(SIGSTOP);
  sleep(some_time(1100));
  daemon.send_signal(SIGCONT);
  if (excuses) {
    service.trouble().end();
  }
}

void Faults::reload_to(Service& service, size_t index, const Variant& variant) {
  const auto outcome = service.daemon(index).reload(service.yaml(variant));
  if (outcome && outcome->find("reloaded pools=") != std::string::npos) {
    return;
  }
  world_.findings.add("%s: a reload ended with \"%s\"", service.name(),
                      outcome.value_or("nothing").c_str());
}

// Adds the visitor's pool or removes it again; a lock is taken in it.
void Faults::reload(Service& service) {
  Variant variant{.has_guest = !dice_.once_in(3), .is_wide = !dice_.once_in(3)};
  if (dice_.once_in(2)) {
    variant.visitor = ++visitors_;
  }
  for (size_t i = 0; i < service.size(); i++) {
    reload_to(service, i, variant);
  }
  if (variant.visitor == 0) {
    return;
  }
  const std::string who = "/get/?host=visitor&pool=visitor-" + std::to_string(variant.visitor);
  const auto asked = Clock::now();
  const test::Response response = test::fetch(service.ports()[0], who);
  if (response.body != "YES" && !service.trouble().excuses(asked)) {
    world_.findings.add("%s: no lock in a new pool: status %d \"%s\"", service.name(),
                        response.status, response.body.c_str());
  }
}

void Faults::reload_nonsense(Service& service) {
  Daemon& daemon = service.daemon(dice_.below(service.size()));
  const auto outcome = daemon.reload(nonsense[dice_.below(std::size(nonsense))]);
  if (!outcome || outcome->find("reload refused: ") == std::string::npos) {
    world_.findings.add("%s: nonsense was taken: \"%s\"", service.name(),
                        outcome.value_or("no answer").c_str());
  }
}

// Restarts a server. Its locks are lost unless memcached or a store has them; its tokens
// must rise all the same, which the history checks.
void Faults::come_back(Service& service, size_t index, Time gone) {
  service.daemon(index).configure(service.yaml({}));
  if (!service.daemon(index).restart() || !service.is_ready()) {
    world_.findings.add("%s: it does not come back", service.name());
  }
  if (service.kind() == Kind::restarted) {
    service.ledger().lost_all(gone, Clock::now());
  }
  service.trouble().end();
}

void Faults::restart(Service& service) {
  const size_t index = service.size() - 1;
  service.trouble().begin();
  const auto gone = Clock::now();
  if (!service.daemon(index).stop()) {
    world_.findings.add("%s: it did not stop as it should", service.name());
  }
  come_back(service, index, gone);
}

void Faults::kill(Service& service) {
  const size_t index = service.size() - 1;
  service.trouble().begin();
  const auto gone = Clock::now();
  service.daemon(index).kill_now();
  sleep(some_time(500));
  come_back(service, index, gone);
}

void Faults::memcached_stands_still(Service& service) {
  service.trouble().begin();
  service.memcached().stop();
  sleep(some_time(2500));
  service.memcached().go_on();
  if (!service.is_ready()) {
    world_.findings.add("%s: not ready again", service.name());
  }
  service.trouble().end();
}

void Faults::memcached_restarts(Service& service) {
  service.trouble().begin();
  const auto gone = Clock::now();
  service.memcached().kill_now();
  sleep(some_time(1500));
  if (!service.memcached().start()) {
    world_.findings.add("memcached does not start");
  }
  service.ledger().lost_all(gone, Clock::now());
  if (!service.is_ready()) {
    world_.findings.add("%s: not ready again", service.name());
  }
  service.trouble().end();
}

void Faults::memcached_forgets(Service& service) {
  service.trouble().begin();
  const auto gone = Clock::now();
  if (service.memcached().ask("flush_all") != "OK") {
    world_.findings.add("flush_all failed");
  }
  service.ledger().lost_all(gone, Clock::now());
  service.trouble().end();
}

void Faults::mend() {
  for (const auto& service : world_.services) {
    for (size_t i = 0; i < service->size(); i++) {
      reload_to(*service, i, {});
    }
  }
}

uint64_t Faults::count() const {
  return std::accumulate(struck_.begin(), struck_.end(), uint64_t{0});
}

std::string Faults::told() const {
  std::string text;
  for (size_t i = 0; i < struck_.size(); i++) {
    text += (i == 0 ? "" : ", ") + std::string(rows[i].name) + " " + std::to_string(struck_[i]);
  }
  return text;
}

}  // namespace distributex::soak
