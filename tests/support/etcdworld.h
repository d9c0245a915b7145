// SPDX-License-Identifier: MIT
// Several daemons over one real etcd, with the pools mutex, sem, kept, long, rests
// and counts, and a crowd of clients on all of them.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "support/crowd.h"
#include "support/daemon.h"
#include "support/etcd.h"
#include "support/http.h"
#include "support/status.h"
#include "support/test.h"

namespace distributex::test {

struct EtcdWorldFixture {
  std::unique_ptr<EtcdCluster> etcd;
  std::vector<std::unique_ptr<Daemon>> daemons{};
  std::unique_ptr<Crowd> crowd{};

  bool finish() {
    crowd.reset();
    bool well = true;
    for (const auto& daemon : daemons) {
      well = daemon->stop() && well;
    }
    return well;
  }
  void start(size_t members, size_t count, std::vector<std::string> options = {}) {
    etcd = std::make_unique<EtcdCluster>(members, std::move(options));
    assert_true(etcd->start());
    for (size_t i = 0; i < count; i++) {
      add_daemon(etcd->hosts());
    }
  }
  void add_daemon(const std::string& hosts, const std::string& more = "") {
    const std::string yaml =
        "backend: etcd\netcdhosts: \"" + hosts + "\"\n" + more +
        "pools:\n  - {name: mutex, expire: 3}\n  - {name: sem, expire: 3, maxlocks: 5}\n"
        "  - {name: long, expire: 600}\n  - {name: rests, expire: 600, release_delay: 4}\n"
        "  - {name: counts, expire: 600, freeze_after: 3}\n"
        "  - {name: kept, expire: 5, maxlocks: 4}\n";
    daemons.push_back(std::make_unique<Daemon>(yaml));
    // Verbose, so that renewals are logged.
    assert_true(daemons.back()->start({.args = {"-v", "-l", "127.0.0.1:0"}}));
    assert_true(is_ready(daemons.size() - 1));
  }
  [[nodiscard]] uint16_t port(size_t i) const { return daemons[i]->port(); }
  [[nodiscard]] bool is_ready(size_t i) const {
    return eventually([&] { return fetch(port(i), "/readyz").status == 200; });
  }
  // Waits until the daemon is not ready, for that reason.
  [[nodiscard]] bool is_unready(size_t i, std::string_view reason) const {
    return eventually([&] {
      const Response answer = fetch(port(i), "/readyz");
      return answer.status == 503 && answer.body.find(reason) != std::string::npos;
    });
  }
  Crowd& contend(const std::string& pool, size_t slots, bool patient, size_t clients = 20,
                 size_t rounds = 0) {
    std::vector<uint16_t> ports;
    for (const auto& daemon : daemons) {
      ports.push_back(daemon->port());
    }
    const CrowdShape shape{.pool = pool, .clients = clients, .patient = patient, .rounds = rounds};
    crowd = std::make_unique<Crowd>(shape, ports);
    crowd->history().slots(pool, slots);
    return *crowd;
  }
};

inline void assert_sound(Crowd& crowd, const std::string& pool, size_t least) {
  assert_text(crowd.history().verdict(), "");
  assert_that(crowd.history().grants(pool) >= least, "only %zu grants",
              crowd.history().grants(pool));
}

}  // namespace distributex::test
