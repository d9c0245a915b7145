// SPDX-License-Identifier: MIT
// A holder whose network swallows every packet says no goodbye. Its lock is free again
// long before the timeouts of other connections are over.
#include <sched.h>

#include "support/daemon.h"
#include "support/http.h"
#include "support/lossy.h"
#include "support/namespace.h"
#include "support/status.h"
#include "support/test.h"

namespace distributex::test {
namespace {

std::string no_namespace;  // why there is none

struct Fixture {
  Daemon daemon{"pools:\n  - name: one\n"};
  std::unique_ptr<LossyNetwork> network{};

  bool finish() {
    const bool well = daemon.stop();
    network.reset();
    return well;
  }
  void start_far_away() {
    if (!no_namespace.empty()) {
      print_message("skipped: no network namespace (%s)\n", no_namespace.c_str());
      skip();
    }
    network = std::make_unique<LossyNetwork>();
    if (!network->trouble().empty()) {
      print_message("skipped: no TUN device (%s)\n", network->trouble().c_str());
      skip();
    }
    assert_true(daemon.start({.args = {"-l", "0.0.0.0:0"}}));
  }
};

// A sign of life is sent every 5 s, and must be acknowledged within 12 s: 18 s with the
// ticks. Other connections have 60 s, and a lease that is not renewed any more 30 s.
void network_that_swallows_everything_frees_the_lock(void** state) {
  Fixture& f = fixture_of<Fixture>(state);
  f.start_far_away();
  const uint16_t port = f.daemon.port();
  Connection holder(far_side + (":" + std::to_string(port)));
  assert_true(holder.send(get_request("/hold/?pool=one&host=far")));
  assert_true(wait_for_holders(port, "one", 1));
  Connection next(port);
  assert_true(next.send(get_request("/wait?pool=one&host=near")));
  assert_true(wait_for_waiting(port, "one", 1));
  f.network->set({.lost = 100});
  const auto from = Clock::now();
  const auto answer = next.response(false, std::chrono::seconds{50});
  const auto took = std::chrono::duration_cast<milliseconds>(Clock::now() - from).count();
  assert_that(answer && answer->body == "YES", "nothing after %lld ms",
              static_cast<long long>(took));
  print_message("the lock was free after %lld ms\n", static_cast<long long>(took));
  assert_true(took > 5000 && took < 40000);
}

}  // namespace
}  // namespace distributex::test

int main() {
  using namespace distributex::test;
  no_namespace = enter_namespaces(CLONE_NEWNET);
  const CMUnitTest tests[] = {
      test_with(Fixture, network_that_swallows_everything_frees_the_lock),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
