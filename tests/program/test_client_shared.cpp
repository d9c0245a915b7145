// SPDX-License-Identifier: MIT
// distributex with daemons that keep their locks in one memcached: a restart, or
// the end of one of two daemons, costs a running command nothing.
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#include "support/client.h"
#include "support/daemon.h"
#include "support/memcached.h"
#include "support/scenes.h"
#include "support/slowness.h"
#include "support/status.h"
#include "support/test.h"

namespace distributex::test {
namespace {

std::string config(uint16_t port) {
  return "backend: memcache\nmemcachehost: 127.0.0.1\nmemcacheport: " + std::to_string(port) +
         "\npools:\n  - name: one\n";
}

struct Fixture {
  Memcached memcached;
  std::optional<Daemon> first;
  std::optional<Daemon> second;

  bool begin() {
    if (!memcached.start()) {
      return false;
    }
    first.emplace(config(memcached.port()));
    second.emplace(config(memcached.port()));
    return start(*first) && start(*second);
  }
  bool finish() { return first->stop() && second->stop(); }

  // Verbose, so that renewals are logged.
  static bool start(Daemon& daemon) { return daemon.start({.args = {"-v", "-l", "127.0.0.1:0"}}); }
  [[nodiscard]] std::vector<std::string> at_both(const std::vector<std::string>& more) const {
    std::vector<std::string> args = {"-H",
                                     "127.0.0.1:" + std::to_string(first->port()) +
                                         ",127.0.0.1:" + std::to_string(second->port()),
                                     "-r", "one"};
    args.insert(args.end(), more.begin(), more.end());
    return args;
  }
  // Another host gets the lock now, or does not.
  [[nodiscard]] std::string try_lock(const Daemon& daemon) const {
    return word(daemon.port(), "/get/?pool=one&host=other");
  }
};

void a_restart_is_survived_when_the_lock_is_still_ours(void** state) {
  auto& f = fixture_of<Fixture>(state);
  Client client(
      on(f.first->port(), "one", {"--lease", std::to_string(6 * slowness), "--", "sleep", "1000"}));
  assert_true(f.first->wait_for_log("granted").has_value());
  f.first->kill_now();
  assert_true(
      f.first->start({.args = {"-v", "-l", "127.0.0.1:" + std::to_string(f.first->port())}}));
  assert_true(f.first->wait_for_log("renewed").has_value());
  f.first->forget_log();
  assert_true(f.first->wait_for_log("renewed").has_value());
  assert_text(f.try_lock(*f.first), "NO");
  client.send(SIGTERM);
  const Ended ended = client.finish();
  assert_int_equal(ended.code, died_by + SIGTERM);
  assert_text(ended.err, "");
  assert_text(f.try_lock(*f.first), "YES");
}

void the_other_server_renews_and_takes_the_lock_back(void** state) {
  auto& f = fixture_of<Fixture>(state);
  Client client(f.at_both({"--lease", "6", "--", "sleep", "1000"}));
  assert_true(f.first->wait_for_log("granted").has_value());
  f.first->kill_now();
  assert_true(f.second->wait_for_log("renewed").has_value());
  assert_text(f.try_lock(*f.second), "NO");
  client.send(SIGTERM);
  const Ended ended = client.finish();
  assert_int_equal(ended.code, died_by + SIGTERM);
  assert_text(ended.err, "");
  assert_text(f.try_lock(*f.second), "YES");
}

void a_waiting_client_moves_to_the_other_server(void** state) {
  auto& f = fixture_of<Fixture>(state);
  assert_text(f.try_lock(*f.second), "YES");
  Client client(f.at_both({"--", "echo", "ran"}));
  assert_true(wait_for_waiting(f.first->port(), "one", 1));
  f.first->kill_now();
  assert_true(wait_for_waiting(f.second->port(), "one", 1));
  assert_text(word(f.second->port(), "/release/?pool=one&host=other"), "OK");
  const Ended ended = client.finish();
  assert_int_equal(ended.code, 0);
  assert_text(ended.out, "ran\n");
}

void a_backend_out_of_reach_is_69_at_once_or_waited_for(void** state) {
  auto& f = fixture_of<Fixture>(state);
  f.memcached.kill_now();
  assert_int_equal(run_client(on(f.first->port(), "one", {"-n", "true"})).code, 69);
  Client client(on(f.first->port(), "one", {"-v", "--", "echo", "ran"}));
  assert_true(eventually([&] { return lines_in(client.err()) > 0; }));
  assert_true(f.memcached.start());
  const Ended ended = client.finish();
  assert_int_equal(ended.code, 0);
  assert_text(ended.out, "ran\n");
}

}  // namespace
}  // namespace distributex::test

int main() {
  using namespace distributex::test;
  const CMUnitTest tests[] = {
      test_with(Fixture, a_restart_is_survived_when_the_lock_is_still_ours),
      test_with(Fixture, the_other_server_renews_and_takes_the_lock_back),
      test_with(Fixture, a_waiting_client_moves_to_the_other_server),
      test_with(Fixture, a_backend_out_of_reach_is_69_at_once_or_waited_for),
  };
  return run_beside(tests);
}
