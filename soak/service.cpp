// SPDX-License-Identifier: MIT
// The pools, the configurations, and how a service starts.
#include "service.h"

#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include "support/http.h"

namespace distributex::soak {

namespace {

// Leases are short, so that locks that a client leaves behind end soon. None is shorter
// than two seconds: if the machine does not run a client for a second, the client must not
// seem to hold its lock for too long.
constexpr PoolRow rows[] = {
    {"mutex", 1, 3, false, false}, {"brief", 1, 2, false, false},   {"sem", 3, 3, false, false},
    {"wide", 20, 5, false, false}, {"forever", 1, 0, false, false}, {"listed", 1, 3, true, false},
    {"vary", 4, 5, false, false},  {"guest", 2, 2, false, true},
};

std::string pool_text(const PoolRow& row, const Variant& variant) {
  const bool is_narrow = !variant.is_wide && std::string_view(row.name) == "vary";
  std::string text = std::string("  - {name: ") + row.name +
                     ", expire: " + std::to_string(is_narrow ? 2 : row.expire) +
                     ", maxlocks: " + std::to_string(is_narrow ? 2 : row.slots) +
                     ", fleetlock: true, fleetlock_wait: 1";
  if (row.listed) {
    text += ", servers: [alpha, beta]";
  }
  return text + "}\n";
}

// Not one of the ports that the kernel gives to clients: while the server is away, a client
// that connects to its port could get that port itself, and be connected with itself.
uint16_t port_for_good() {
  static uint16_t next = static_cast<uint16_t>(20000 + getpid() % 10000);
  for (;;) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(++next);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    const void* bytes = &address;
    const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    const bool is_free = bind(fd, static_cast<const sockaddr*>(bytes), sizeof address) == 0;
    close(fd);
    if (is_free) {
      return next;
    }
  }
}

}  // namespace

std::span<const PoolRow> pool_rows() { return rows; }

Ledger::Ledger() {
  for (const PoolRow& row : rows) {
    history_.slots(row.name, row.slots);
  }
}

void Ledger::told(const std::string& pool, const std::string& holder, uint64_t token, Time asked,
                  Time answered, std::optional<Time> ends) {
  const std::lock_guard guard(lock_);
  history_.told(pool, holder, token, asked, answered, ends);
}

void Ledger::let_go(const std::string& pool, uint64_t token) {
  const std::lock_guard guard(lock_);
  history_.let_go(pool, token, Clock::now());
}

void Ledger::lost_all(Time from, Time to) {
  const std::lock_guard guard(lock_);
  history_.lost_all(from, to);
}

std::string Ledger::settle(Time horizon) {
  const std::lock_guard guard(lock_);
  return history_.settle(horizon);
}

void Trouble::end() {
  ended_ = Clock::now();
  --open_;
}

bool Trouble::excuses(Time asked) const { return open_ > 0 || asked <= ended_.load() + grace_; }

// memcached is known to be back within two seconds of its return.
Service::Service(Kind kind)
    : kind_(kind), trouble_(milliseconds(kind == Kind::shared ? 4000 : 0)) {}

const char* Service::name() const {
  switch (kind_) {
    case Kind::steady:
      return "steady";
    case Kind::restarted:
      return "restarted";
    case Kind::stored:
      return "stored";
    case Kind::shared:
      return "shared";
  }
  return "";
}

bool Service::start() {
  if (kind_ == Kind::shared) {
    memcached_ = std::make_unique<test::Memcached>();
    if (!memcached_->start()) {
      return false;
    }
  }
  for (size_t i = 0; i < (kind_ == Kind::shared ? 2 : 1); i++) {
    daemons_.push_back(std::make_unique<Daemon>(yaml({})));
    const std::string address = "127.0.0.1:" + std::to_string(port_for_good());
    if (!daemons_.back()->start({.args = {"-l", address}})) {
      return false;
    }
    ports_.push_back(daemons_.back()->port());
  }
  return is_ready();
}

bool Service::stop() {
  bool well = true;
  for (const auto& daemon : daemons_) {
    well = daemon->stop() && well;
  }
  return well;
}

std::string Service::yaml(const Variant& variant) const {
  std::string text = "max_connections: 2000\nrequest_timeout: 3\nidle_timeout: 6\n";
  if (memcached_) {
    text += "backend: memcache\npoll: 20\nmemcachehost: \"" + memcached_->address() + "\"\n";
  }
  if (kind_ == Kind::stored) {
    text += "backend: sqlite\nsqlitetimeout: 10000\nsqlitefile: " + disk_.file("locks.db") + "\n";
  }
  text += "pools:\n";
  for (const PoolRow& row : rows) {
    if (variant.has_guest || !row.comes_and_goes) {
      text += pool_text(row, variant);
    }
  }
  text += "  - {name: made/*, expire: 3}\n";
  if (variant.visitor != 0) {
    text += "  - {name: visitor-" + std::to_string(variant.visitor) + ", expire: 2}\n";
  }
  return text;
}

bool Service::is_ready() const {
  for (const uint16_t port : ports_) {
    const auto ready = [&] { return test::fetch(port, "/readyz").status == 200; };
    if (!test::eventually(ready)) {
      return false;
    }
  }
  return true;
}

}  // namespace distributex::soak
