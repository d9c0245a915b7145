// SPDX-License-Identifier: MIT
// distributex in the line: how it gets the lock, how it leaves, and what it
// does when servers restart, refuse, are away, or answer late.
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "support/client.h"
#include "support/daemon.h"
#include "support/scenes.h"
#include "support/status.h"
#include "support/test.h"

namespace distributex::test {
namespace {

constexpr std::string_view config = R"(pools:
  - name: one
  - name: roll
    freeze_after: 2
)";

struct Fixture {
  Daemon daemon{config};
  TempDir dir;
  std::string mark = dir.file("ran");

  bool begin() { return daemon.start(); }
  bool finish() {
    if (daemon.running()) {
      daemon.send_signal(SIGCONT);
    }
    return daemon.stop();
  }

  [[nodiscard]] std::vector<std::string> args(const std::vector<std::string>& more) const {
    return on(daemon.port(), "one", more);
  }
  [[nodiscard]] std::string address() const { return "127.0.0.1:" + std::to_string(daemon.port()); }
  [[nodiscard]] bool has_run() const { return access(mark.c_str(), F_OK) == 0; }
  void occupy() const { assert_text(word(daemon.port(), "/get/?pool=one&host=other"), "YES"); }
  void vacate() const { assert_text(word(daemon.port(), "/release/?pool=one&host=other"), "OK"); }
  void wait_in_line(size_t count) const {
    assert_true(wait_for_waiting(daemon.port(), "one", count));
  }
};

void a_lock_that_gets_free_is_taken(void** state) {
  auto& f = fixture_of<Fixture>(state);
  f.occupy();
  Client client(f.args({"--", "touch", f.mark}));
  f.wait_in_line(1);
  assert_false(f.has_run());
  f.vacate();
  assert_int_equal(client.finish().code, 0);
  assert_true(f.has_run());
}

void every_signal_while_waiting_leaves_the_line_and_runs_nothing(void** state) {
  auto& f = fixture_of<Fixture>(state);
  f.occupy();
  for (const int signal : {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGUSR1, SIGUSR2}) {
    Client client(f.args({"--", "touch", f.mark}));
    f.wait_in_line(1);
    client.send(signal);
    const Ended ended = client.finish();
    assert_int_equal(ended.code, died_by + signal);
    assert_text(ended.err, "");
    assert_int_equal(pool_state(f.daemon.port(), "one").waiting.size(), 0);
  }
  assert_false(f.has_run());
}

// The lock is granted while the client leaves.
void a_grant_to_a_client_that_leaves_is_given_back(void** state) {
  auto& f = fixture_of<Fixture>(state);
  for (int i = 0; i < 10; ++i) {
    f.occupy();
    Client client(f.args({"--", "sleep", "1000"}));
    f.wait_in_line(1);
    client.send(SIGSTOP);  // it cannot read the grant
    f.vacate();
    client.send(SIGTERM);
    client.send(SIGCONT);
    assert_int_equal(client.finish().code, died_by + SIGTERM);
    assert_true(wait_for_holders(f.daemon.port(), "one", 0));
  }
}

void the_time_to_wait_is_kept_even_when_the_server_stands_still(void** state) {
  auto& f = fixture_of<Fixture>(state);
  f.daemon.send_signal(SIGSTOP);
  const auto begun = Clock::now();
  const Ended ended = run_client(f.args({"-w", "0.5", "--", "touch", f.mark}));
  assert_int_equal(ended.code, 69);
  assert_true(Clock::now() - begun >= milliseconds(500));
  f.daemon.send_signal(SIGCONT);
  assert_false(f.has_run());
  assert_true(wait_for_holders(f.daemon.port(), "one", 0));
}

void a_restart_of_the_server_is_waited_out(void** state) {
  auto& f = fixture_of<Fixture>(state);
  f.occupy();
  Client client(f.args({"-v", "--", "touch", f.mark}));
  f.wait_in_line(1);
  f.daemon.kill_now();
  // It has noticed, and asked again at least once, before the server is back.
  assert_true(
      eventually([&] { return client.err().find("Connection refused") != std::string::npos; }));
  assert_true(client.running());
  assert_true(f.daemon.restart());
  assert_int_equal(client.finish().code, 0);
  assert_true(f.has_run());
}

void a_graceful_restart_is_waited_out(void** state) {
  auto& f = fixture_of<Fixture>(state);
  f.occupy();
  Client client(f.args({"--", "touch", f.mark}));
  f.wait_in_line(1);
  assert_true(f.daemon.stop());
  assert_true(client.running());
  assert_true(f.daemon.restart());
  const Ended ended = client.finish();
  assert_int_equal(ended.code, 0);
  assert_text(ended.err, "");
}

void a_server_that_stays_away_longer_than_w_is_69(void** state) {
  auto& f = fixture_of<Fixture>(state);
  f.occupy();
  Client client(f.args({"-w", "2", "--", "touch", f.mark}));
  f.wait_in_line(1);
  f.daemon.kill_now();
  assert_int_equal(client.finish().code, 69);
  assert_false(f.has_run());
}

// The lock is granted while the client stands still, and its lease is over when the client reads
// the answer: the client must not use it.
void a_grant_that_has_run_out_before_it_was_read_is_not_used(void** state) {
  auto& f = fixture_of<Fixture>(state);
  f.occupy();
  Client client(f.args({"--lease", "1", "-v", "--", "touch", f.mark}));
  f.wait_in_line(1);
  client.send(SIGSTOP);
  f.vacate();
  assert_true(f.daemon.wait_for_log("expired").has_value());
  f.occupy();
  client.send(SIGCONT);
  f.wait_in_line(1);
  assert_false(f.has_run());
  assert_non_null(strstr(client.err().c_str(), "ended before its grant was read"));
  f.vacate();
  assert_int_equal(client.finish().code, 0);
  assert_true(f.has_run());
}

void servers_are_tried_in_turn(void** state) {
  auto& f = fixture_of<Fixture>(state);
  Daemon gone{config};
  assert_true(gone.start());
  const std::string nobody = "127.0.0.1:" + std::to_string(gone.port());
  gone.kill_now();
  for (const char* way : {"-n", "-v"}) {
    const Ended ended =
        run_client({"-H", nobody + "," + f.address(), "-r", "one", way, "--", "touch", f.mark});
    assert_int_equal(ended.code, 0);
    assert_true(f.has_run());
    unlink(f.mark.c_str());
  }
  assert_true(eventually([&] { return f.daemon.log_lines("event=released").size() == 2; }));
  const Ended neither =
      run_client({"-H", nobody + "," + nobody, "-r", "one", "-n", "--", "touch", f.mark});
  assert_int_equal(neither.code, 69);
  assert_false(f.has_run());
}

void the_port_can_be_given_apart(void** state) {
  auto& f = fixture_of<Fixture>(state);
  assert_int_equal(
      run_client({"-H", "127.0.0.1", "-p", std::to_string(f.daemon.port()), "-r", "one", "true"})
          .code,
      0);
  assert_int_equal(run_client({"-H", f.address(), "-p", "1", "-r", "one", "true"}).code, 0);
}

// The client uses a proxy only with --proxy, whatever the environment says.
void proxies_are_off_unless_asked_for(void** state) {
  auto& f = fixture_of<Fixture>(state);
  Client::Setup setup;
  setup.environment = {"PATH=/usr/bin:/bin", "http_proxy=http://127.0.0.1:1",
                       "ALL_PROXY=http://127.0.0.1:1"};
  Client direct(f.args({"true"}), setup);
  assert_int_equal(direct.finish().code, 0);
  assert_int_equal(run_client(f.args({"--proxy", "http://127.0.0.1:1", "true"})).code, 69);
  // The daemon takes requests in a proxy's form as well, so it can stand in for one.
  assert_int_equal(run_client({"-H", "lock.invalid:9889", "-r", "one", "--proxy",
                               "http://" + f.address(), "true"})
                       .code,
                   0);
}

void status_shows_pools_holders_and_waiters(void** state) {
  auto& f = fixture_of<Fixture>(state);
  f.occupy();
  Client client(f.args({"-i", "me", "--", "touch", f.mark}));
  f.wait_in_line(1);
  const Ended table = run_client({"-H", f.address(), "--status"});
  assert_int_equal(table.code, 0);
  assert_non_null(strstr(table.out.c_str(), "POOL"));
  assert_non_null(strstr(table.out.c_str(), "one   1/1    holds  other"));
  assert_non_null(strstr(table.out.c_str(), "one   1/1    waits  "));
  const Ended json = run_client({"-H", f.address(), "--status", "--json", "-r", "one"});
  assert_int_equal(json.code, 0);
  const Json parsed = parse_json(json.out);
  assert_non_null(parsed.get());
  assert_int_equal(json_array_size(json_object_get(parsed.get(), "pools")), 1);
  const Ended unknown = run_client({"-H", f.address(), "--status", "-r", "no such"});
  assert_int_equal(unknown.code, 69);
  assert_text(unknown.err,
              "distributex: " + f.address() + ": there is no such pool on this server\n");
  client.send(SIGTERM);
  (void)client.finish();
}

void ping_tells_whether_locks_can_be_granted(void** state) {
  auto& f = fixture_of<Fixture>(state);
  const Ended up = run_client({"-H", f.address(), "--ping"});
  assert_int_equal(up.code, 0);
  assert_text(up.out + up.err, "");
  f.daemon.kill_now();
  const Ended down = run_client({"-H", f.address(), "--ping"});
  assert_int_equal(down.code, 69);
  assert_text(down.err, "distributex: " + f.address() + ": Connection refused\n");
}

void orders_freeze_thaw_and_evict(void** state) {
  auto& f = fixture_of<Fixture>(state);
  const Ended frozen = run_client(f.args({"--freeze=bad release", "--for", "90m"}));
  assert_text(frozen.out + frozen.err, "frozen: one\n");
  assert_int_equal(frozen.code, 0);
  const Ended refused = run_client(f.args({"-n", "--", "touch", f.mark}));
  assert_int_equal(refused.code, 75);
  assert_text(refused.err, "distributex: no lock on one now: it is frozen: bad release\n");
  assert_false(f.has_run());
  const Ended table = run_client({"-H", f.address(), "--status"});
  assert_non_null(strstr(table.out.c_str(), "bad release"));
  assert_non_null(strstr(table.out.c_str(), "1h 29m"));
  const Ended thawed = run_client(f.args({"--thaw"}));
  assert_text(thawed.out + thawed.err, "thawed: one\n");
  const Ended again = run_client(f.args({"--thaw"}));
  assert_int_equal(again.code, 75);
  assert_text(again.err, "distributex: no freeze has the name one\n");
  f.occupy();
  const std::string token = std::to_string(pool_state(f.daemon.port(), "one").holders.at(0).token);
  const Ended evicted = run_client(f.args({"--evict", token, "--reason=dead"}));
  assert_text(evicted.out + evicted.err, "evicted: token " + token + " of one\n");
  assert_int_equal(run_client(f.args({"--evict", token})).code, 75);
  assert_int_equal(pool_state(f.daemon.port(), "one").holders.size(), 0);
}

void a_bad_rollout_stops_by_itself(void** state) {
  auto& f = fixture_of<Fixture>(state);
  const auto run = [&](const std::vector<std::string>& more) {
    return run_client(on(f.daemon.port(), "roll", more)).code;
  };
  assert_int_equal(run({"exit 3"}), 3);
  assert_int_equal(run({"--outcome-of=0,3", "exit 3"}), 3);  // starts the count anew
  assert_int_equal(run({"exit 3"}), 3);
  Client stopped(on(f.daemon.port(), "roll", {"--", "sleep", "1000"}));
  assert_true(eventually([&] { return !pool_state(f.daemon.port(), "roll").holders.empty(); }));
  stopped.send(SIGTERM);  // a run that a person stops is no failed run
  (void)stopped.finish();
  assert_int_equal(run({"-n", "exit 4"}), 4);
  const Ended frozen = run_client(on(f.daemon.port(), "roll", {"-n", "true"}));
  assert_int_equal(frozen.code, 75);
  assert_non_null(strstr(frozen.err.c_str(), "it is frozen: 2 runs failed in a row, last "));
  assert_non_null(strstr(frozen.err.c_str(), "(exit status 4)"));
}

void a_command_that_cannot_be_run_is_a_failed_run(void** state) {
  auto& f = fixture_of<Fixture>(state);
  const auto run = [&](const std::vector<std::string>& more) {
    return run_client(on(f.daemon.port(), "roll", more));
  };
  assert_int_equal(run({"--outcome-of=0,127", "--", "/nowhere/program"}).code, 127);
  assert_int_equal(run({"--", "/etc/passwd"}).code, 126);
  const Ended frozen = run({"-n", "true"});
  assert_int_equal(frozen.code, 75);
  assert_non_null(strstr(frozen.err.c_str(), "(exit status 126)"));
}

void v_says_why_a_pool_is_frozen(void** state) {
  auto& f = fixture_of<Fixture>(state);
  assert_int_equal(run_client(f.args({"--freeze=bad release"})).code, 0);
  Client client(f.args({"-v", "--", "touch", f.mark}));
  f.wait_in_line(1);
  assert_true(eventually([&] { return client.err().find("bad release") != std::string::npos; }));
  assert_non_null(strstr(client.err().c_str(), "waiting for a lock on one: frozen by "));
  assert_int_equal(run_client(f.args({"--thaw"})).code, 0);
  assert_int_equal(client.finish().code, 0);
  assert_true(f.has_run());
}

}  // namespace
}  // namespace distributex::test

int main() {
  using namespace distributex::test;
  const CMUnitTest tests[] = {
      test_with(Fixture, a_lock_that_gets_free_is_taken),
      test_with(Fixture, every_signal_while_waiting_leaves_the_line_and_runs_nothing),
      test_with(Fixture, a_grant_to_a_client_that_leaves_is_given_back),
      test_with(Fixture, the_time_to_wait_is_kept_even_when_the_server_stands_still),
      test_with(Fixture, a_restart_of_the_server_is_waited_out),
      test_with(Fixture, a_graceful_restart_is_waited_out),
      test_with(Fixture, a_server_that_stays_away_longer_than_w_is_69),
      test_with(Fixture, a_grant_that_has_run_out_before_it_was_read_is_not_used),
      test_with(Fixture, servers_are_tried_in_turn),
      test_with(Fixture, the_port_can_be_given_apart),
      test_with(Fixture, proxies_are_off_unless_asked_for),
      test_with(Fixture, status_shows_pools_holders_and_waiters),
      test_with(Fixture, orders_freeze_thaw_and_evict),
      test_with(Fixture, a_bad_rollout_stops_by_itself),
      test_with(Fixture, a_command_that_cannot_be_run_is_a_failed_run),
      test_with(Fixture, v_says_why_a_pool_is_frozen),
      test_with(Fixture, ping_tells_whether_locks_can_be_granted),
  };
  return run_beside(tests);
}
