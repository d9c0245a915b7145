// SPDX-License-Identifier: MIT
// A network between clients and daemon that loses, doubles, delays and reorders
// packets, or lets nothing through for a while; and a link that cuts answers off,
// stalls or drips. Leases may end meanwhile; nobody is told wrong.
#include <sched.h>

#include "support/crowd.h"
#include "support/daemon.h"
#include "support/faultproxy.h"
#include "support/http.h"
#include "support/lossy.h"
#include "support/namespace.h"
#include "support/rest.h"
#include "support/status.h"
#include "support/test.h"

namespace distributex::test {
namespace {

constexpr std::string_view pools = R"(pools:
  - {name: mutex, expire: 1}
  - {name: sem, expire: 1, maxlocks: 4}
  - {name: one, expire: 600}
)";

std::string no_namespace;  // why there is none

struct Fixture {
  Daemon daemon{pools};
  std::unique_ptr<LossyNetwork> network{};
  std::unique_ptr<FaultProxy> proxy{};
  std::unique_ptr<Crowd> crowd{};
  long at_rest = 0;

  bool finish() {
    crowd.reset();
    proxy.reset();
    const bool well = daemon.stop();
    network.reset();
    return well;
  }
  uint16_t port() const { return daemon.port(); }
  std::string here() const { return "127.0.0.1:" + std::to_string(port()); }
  std::string far() const { return far_side + (":" + std::to_string(port())); }

  void start(std::vector<std::string> args) {
    assert_true(daemon.start({.args = std::move(args)}));
    at_rest = daemon.open_files();
  }
  // On all addresses: the network's side and, for a look at it, on loopback.
  void start_far_away() {
    if (!no_namespace.empty()) {
      print_message("skipped: no network namespace (%s), so no lossy network\n",
                    no_namespace.c_str());
      skip();
    }
    network = std::make_unique<LossyNetwork>();
    if (!network->trouble().empty()) {
      print_message("skipped: no TUN device (%s), so no lossy network\n",
                    network->trouble().c_str());
      skip();
    }
    start({"-l", "0.0.0.0:0"});
  }
  Crowd& contend(const std::string& pool, size_t slots, std::vector<std::string> addresses) {
    crowd = std::make_unique<Crowd>(
        CrowdShape{.pool = pool, .clients = 20, .patient = true, .wary = true},
        std::move(addresses));
    crowd->history().slots(pool, slots);
    return *crowd;
  }
  void check_peace(const std::string& pool, size_t slots) {
    assert_true(crowd->goes_on(20));
    crowd->stop();
    proxy.reset();
    assert_text(crowd->history().verdict(), "");
    assert_text(unrest(daemon, pool, slots, at_rest), "");
  }
};

void packets_that_are_lost_doubled_and_late_harm_nobody(void** state) {
  Fixture& f = fixture_of<Fixture>(state);
  f.start_far_away();
  f.network->set({.lost = 5, .doubled = 5, .most_ms = 4});
  Crowd& crowd = f.contend("mutex", 1, {f.far()});
  assert_true(crowd.goes_on(30));
  assert_that(f.network->lost() > 10, "only %u packets were lost", f.network->lost());
  f.network->set({});
  f.check_peace("mutex", 1);
}

// The network is away for longer than a lease. Clients on this side go on once the lease has
// ended, clients behind the network once packets come through again.
void a_network_that_is_away_for_a_while_harms_nobody(void** state) {
  Fixture& f = fixture_of<Fixture>(state);
  f.start_far_away();
  Connection holder(f.here());
  Connection waiter(f.far());
  assert_text(word(holder, "/get?pool=one&host=a"), "YES");
  assert_true(waiter.send(get_request("/wait?pool=one&host=b")));
  assert_true(wait_for_waiting(f.port(), "one", 1));
  Crowd& crowd = f.contend("mutex", 1, {f.here(), f.far()});
  assert_true(crowd.goes_on(20));
  f.network->set({.lost = 100});
  const Clock::time_point away = Clock::now();
  assert_text(word(holder, "/release?pool=one&host=a"), "OK");
  assert_text(holders_of(f.port(), "one"), "b");
  while (Clock::now() < away + milliseconds{1500}) {
    assert_true(crowd.goes_on(1));
  }
  f.network->set({});
  assert_text(waiter.response()->body, "YES");
  assert_text(word(waiter, "/release?pool=one&host=b"), "OK");
  holder.close();
  waiter.close();
  f.check_peace("mutex", 1);
  assert_text(unrest(f.daemon, "one", 1, f.at_rest), "");
}

// Clients that do not use the link go on once the leases of clients behind it have ended.
void take_turns_past_it(const Fixture& f) {
  for (int i = 0; i < 10; i++) {
    assert_text(word(f.port(), "/wait?pool=sem&host=here"), "YES");
    assert_text(fetch(f.port(), "/release?pool=sem&host=here").header("Distributex-Result"),
                "released");
  }
}

void a_link_that_cuts_stalls_and_drips_harms_nobody(void** state) {
  Fixture& f = fixture_of<Fixture>(state);
  f.start({"-l", "127.0.0.1:0"});
  f.proxy = std::make_unique<FaultProxy>(f.port());
  Crowd& crowd = f.contend("sem", 4, {f.here(), f.proxy->address()});
  assert_true(crowd.goes_on(20));
  f.proxy->set(FaultProxy::Mode::cut);
  assert_true(eventually([&] { return f.proxy->cuts() >= 20; }));
  for (const FaultProxy::Mode mode : {FaultProxy::Mode::drip, FaultProxy::Mode::stall}) {
    f.proxy->set(mode);
    take_turns_past_it(f);
  }
  f.proxy->set(FaultProxy::Mode::pass);
  f.check_peace("sem", 4);
}

}  // namespace
}  // namespace distributex::test

int main() {
  using namespace distributex::test;
  no_namespace = enter_namespaces(CLONE_NEWNET);
  const CMUnitTest tests[] = {
      test_with(Fixture, packets_that_are_lost_doubled_and_late_harm_nobody),
      test_with(Fixture, a_network_that_is_away_for_a_while_harms_nobody),
      test_with(Fixture, a_link_that_cuts_stalls_and_drips_harms_nobody),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
