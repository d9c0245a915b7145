// SPDX-License-Identifier: MIT
// The lease of distributex while its command runs: renewed, survived, lost. Where
// it is lost, everything must be dead before the server may pass the lock on;
// the server's own word on when that is decides.
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <algorithm>

#include "support/client.h"
#include "support/daemon.h"
#include "support/faultproxy.h"
#include "support/scenes.h"
#include "support/slowness.h"
#include "support/status.h"
#include "support/test.h"

namespace distributex::test {
namespace {

constexpr std::string_view config = R"(pools:
  - name: one
  - name: two
  - name: short
    expire: 2
  - name: never
    expire: 0
)";

struct Fixture {
  Daemon daemon{config};
  TempDir dir;

  // Verbose, because only then the log has lines for renewals.
  bool begin() { return daemon.start({.args = {"-v", "-l", "127.0.0.1:0"}}); }
  bool finish() {
    if (daemon.running()) {
      daemon.send_signal(SIGCONT);
    }
    return daemon.stop();
  }

  [[nodiscard]] std::vector<std::string> args(const std::vector<std::string>& more,
                                              std::string_view pool = "one") const {
    return on(daemon.port(), pool, more);
  }
  [[nodiscard]] std::string pid_file(int i) const { return dir.file("pid" + std::to_string(i)); }
  // Each ignores TERM: a command, a child in its group, a grandchild in a session of its own.
  [[nodiscard]] std::string stubborn_family() const {
    const std::string loop = "; while :; do sleep 0.05; done";
    return "trap '' TERM; sh -c 'echo $$ >" + pid_file(1) + loop + "' & setsid sh -c 'echo $$ >" +
           pid_file(2) + loop + "' & echo $$ >" + pid_file(0) + loop;
  }
  [[nodiscard]] std::vector<pid_t> family_pids() const {
    return {wait_for_pid(pid_file(0)), wait_for_pid(pid_file(1)), wait_for_pid(pid_file(2))};
  }
  // The lease ends at this time at the latest: now, from before the request, and the time left that
  // the server told.
  [[nodiscard]] std::optional<Clock::time_point> lease_end(std::string_view pool = "one") const {
    const auto asked = Clock::now();
    const PoolState state = pool_state(daemon.port(), pool);
    if (state.holders.size() != 1 || !state.holders.front().expires_in) {
      return std::nullopt;
    }
    const std::chrono::duration<double> left(*state.holders.front().expires_in);
    return asked + std::chrono::duration_cast<Clock::duration>(left);
  }
};

void a_lease_is_renewed_as_long_as_the_command_runs(void** state) {
  auto& f = fixture_of<Fixture>(state);
  Client client(f.args({"--", "sleep", "1000"}, "short"));
  assert_true(wait_for_holders(f.daemon.port(), "short", 1));
  const auto token = pool_state(f.daemon.port(), "short").holders.front().token;
  const auto begun = Clock::now();
  while (Clock::now() - begun < milliseconds(4500)) {
    const auto end = f.lease_end("short");
    assert_true(end.has_value());
    assert_true(f.daemon.wait_for_log("renewed").has_value());
    f.daemon.forget_log();
  }
  assert_int_equal(pool_state(f.daemon.port(), "short").holders.front().token, token);
  client.send(SIGTERM);
  assert_int_equal(client.finish().code, died_by + SIGTERM);
}

// The server stands still: TERM, then KILL, and all are dead before the server would pass the lock
// on.
void a_silent_server_has_everything_dead_before_the_lease_ends(void** state) {
  auto& f = fixture_of<Fixture>(state);
  Client client(f.args({"--lease", "5", f.stubborn_family()}));
  const auto family = f.family_pids();
  const auto end = f.lease_end();
  assert_true(end.has_value());
  f.daemon.send_signal(SIGSTOP);
  const auto died = death_of(family);
  assert_true(died.has_value());
  assert_that(*died < *end, "dead %.3f s after the end",
              std::chrono::duration<double>(*died - *end).count());
  assert_true(Clock::now() < *end + std::chrono::seconds(1));
  // The waiter must get the lock only after all processes are dead.
  const auto alive = [&] {
    return is_alive(family[0]) || is_alive(family[1]) || is_alive(family[2]);
  };
  assert_false(alive());
  const Ended ended = client.finish();
  assert_int_equal(ended.code, 74);
  assert_int_equal(lines_in(ended.err.substr(0, ended.err.find("could not give back"))), 1);
  assert_non_null(strstr(ended.err.c_str(), "lost the lock on one at "));
  assert_non_null(strstr(ended.err.c_str(), "not renewed for "));
}

void a_command_may_end_properly_on_term(void** state) {
  auto& f = fixture_of<Fixture>(state);
  Client client(
      f.args({"--lease", "5",
              "trap 'echo cleaned up; exit 0' TERM; echo ready; while :; do sleep 0.02; done"}));
  assert_true(eventually([&] { return client.out() == "ready\n"; }));
  const auto end = f.lease_end();
  assert_true(end.has_value());
  f.daemon.send_signal(SIGSTOP);
  const Ended ended = client.finish();
  assert_int_equal(ended.code, 74);
  assert_text(ended.out, "ready\ncleaned up\n");
  f.daemon.send_signal(SIGCONT);
}

void a_short_silence_is_survived(void** state) {
  auto& f = fixture_of<Fixture>(state);
  Client client(f.args({"--lease", "6", "-v", "--", "sleep", "1000"}));
  assert_true(wait_for_holders(f.daemon.port(), "one", 1));
  f.daemon.send_signal(SIGSTOP);
  assert_true(eventually([&] { return client.err().find("renewal failed") != std::string::npos; }));
  f.daemon.send_signal(SIGCONT);
  f.daemon.forget_log();
  assert_true(f.daemon.wait_for_log("renewed").has_value());
  assert_true(client.running());
  client.send(SIGTERM);
  assert_int_equal(client.finish().code, died_by + SIGTERM);
}

// A server in memory has forgotten the lock after its restart and answers "lost": everything ends
// at once.
void a_server_that_was_killed_and_forgot_ends_the_command(void** state) {
  auto& f = fixture_of<Fixture>(state);
  Client client(f.args({"--lease", std::to_string(6 * slowness), f.stubborn_family()}));
  const auto family = f.family_pids();
  const auto end = f.lease_end();
  assert_true(end.has_value());
  f.daemon.kill_now();
  assert_true(f.daemon.restart());
  const auto died = death_of(family);
  assert_true(died.has_value());
  assert_true(*died < *end);
  const Ended ended = client.finish();
  assert_int_equal(ended.code, 74);
  assert_int_equal(lines_in(ended.err), 1);
  assert_non_null(strstr(ended.err.c_str(), "this run no longer has the lock"));
}

void a_lock_taken_away_ends_the_command(void** state) {
  auto& f = fixture_of<Fixture>(state);
  Client client(f.args({"--lease", "3", "-i", "run", "--", "sleep", "1000"}));
  assert_true(wait_for_holders(f.daemon.port(), "one", 1));
  const std::string host = pool_state(f.daemon.port(), "one").holders.front().host;
  assert_text(word(f.daemon.port(), "/release/?pool=one&id=run&host=" + host), "OK");
  const Ended ended = client.finish();
  assert_int_equal(ended.code, 74);
  assert_int_equal(lines_in(ended.err), 1);
  // The client does not release a lock that the server has called lost.
  assert_text(word(f.daemon.port(), "/get/?pool=one&host=later"), "YES");
  assert_true(f.daemon.wait_for_log("host=later").has_value());
  assert_int_equal(f.daemon.log_lines("event=lost").size(), 1);
  assert_int_equal(f.daemon.log_lines("event=not-held").size(), 0);
}

// One process is stopped, one has a session of its own: both must get TERM before KILL.
void everybody_hears_of_the_end_before_being_killed(void** state) {
  auto& f = fixture_of<Fixture>(state);
  Client client(f.args({"--lease", "3", "-i", "run",
                        "setsid sh -c 'trap \"echo left; exit\" TERM; echo $$ >" + f.pid_file(1) +
                            "; while :; do sleep 0.02; done' & trap 'echo stopped; exit' TERM; "
                            "echo $$ >" +
                            f.pid_file(0) + "; kill -STOP $$; while :; do sleep 0.02; done"}));
  assert_true(wait_for_standstill(wait_for_pid(f.pid_file(0))));
  (void)wait_for_pid(f.pid_file(1));
  const std::string host = pool_state(f.daemon.port(), "one").holders.front().host;
  assert_text(word(f.daemon.port(), "/release/?pool=one&id=run&host=" + host), "OK");
  const Ended ended = client.finish();
  assert_int_equal(ended.code, 74);
  assert_non_null(strstr(ended.out.c_str(), "left\n"));
  assert_non_null(strstr(ended.out.c_str(), "stopped\n"));
}

void a_lock_lost_unnoticed_is_74_although_the_command_succeeded(void** state) {
  auto& f = fixture_of<Fixture>(state);
  const std::string go = f.dir.file("go");
  Client client(f.args({"-i", "run", "while ! [ -e " + go + " ]; do sleep 0.01; done"}));
  assert_true(wait_for_holders(f.daemon.port(), "one", 1));
  const std::string host = pool_state(f.daemon.port(), "one").holders.front().host;
  assert_text(word(f.daemon.port(), "/release/?pool=one&id=run&host=" + host), "OK");
  write_file(go, "");
  const Ended ended = client.finish();
  assert_int_equal(ended.code, 74);
  assert_int_equal(lines_in(ended.err), 1);
}

void a_release_that_cannot_be_delivered_is_said_and_changes_no_code(void** state) {
  auto& f = fixture_of<Fixture>(state);
  const std::string go = f.dir.file("go");
  Client client(f.args({"--lease", "3", "while ! [ -e " + go + " ]; do sleep 0.01; done; exit 7"}));
  assert_true(wait_for_holders(f.daemon.port(), "one", 1));
  f.daemon.kill_now();
  write_file(go, "");
  const Ended ended = client.finish();
  assert_int_equal(ended.code, 7);
  assert_int_equal(lines_in(ended.err), 1);
  assert_non_null(strstr(ended.err.c_str(), "could not give back the lock on one: 127.0.0.1:"));
}

void a_release_is_retried(void** state) {
  auto& f = fixture_of<Fixture>(state);
  const std::string go = f.dir.file("go");
  Client client(
      f.args({"--lease", "20", "while ! [ -e " + go + " ]; do sleep 0.01; done; echo over"}));
  assert_true(wait_for_holders(f.daemon.port(), "one", 1));
  f.daemon.send_signal(SIGSTOP);
  write_file(go, "");
  assert_true(eventually([&] { return client.out() == "over\n"; }));
  f.daemon.send_signal(SIGCONT);
  const Ended ended = client.finish();
  assert_int_equal(ended.code, 0);
  assert_text(ended.err, "");
  assert_int_equal(pool_state(f.daemon.port(), "one").holders.size(), 0);
}

// The lease has no end: a server that is away does not matter, one that forgot ends the command.
void a_lease_that_never_ends_survives_silence_but_not_a_loss(void** state) {
  auto& f = fixture_of<Fixture>(state);
  Client client(f.args({"--lease", "1", "-v", "--", "sleep", "1000"}, "never"));
  assert_true(wait_for_holders(f.daemon.port(), "never", 1));
  f.daemon.kill_now();
  for (size_t failures = 1; failures <= 4; ++failures) {
    assert_true(eventually([&] {
      size_t count = 0;
      const std::string said = client.err();
      for (size_t at = 0; (at = said.find("renewal failed", at)) != std::string::npos; ++at) {
        ++count;
      }
      return count >= failures;
    }));
  }
  assert_true(client.running());
  assert_true(f.daemon.restart());
  assert_int_equal(client.finish().code, 74);
}

// What `date` said when the command was asked to end; nothing when it was not.
std::optional<double> asked_to_end_at(const Client& client) {
  double at = 0;
  const bool is_asked =
      eventually([&] { return sscanf(client.out().c_str(), "ready\nend %lf", &at) == 1; });
  return is_asked ? std::optional(at) : std::nullopt;
}

// The answers to one client's renewals are late, but the server counts from when it read the
// renewal. When the server falls silent, that client must end its command as long before its
// lease's end as the other one does, whose answers are in time: the control.
void a_lease_counts_from_before_its_renewal_was_sent(void** state) {
  auto& f = fixture_of<Fixture>(state);
  FaultProxy proxy(f.daemon.port());
  const std::vector<std::string> command = {
      "--lease", "9", "-v",
      "trap 'date \"+end %s.%N\"; exit 0' TERM; echo ready; while :; do sleep 0.02; done"};
  Client late(on(proxy.port(), "one", command));
  Client control(f.args(command, "two"));
  assert_true(wait_for_holders(f.daemon.port(), "one", 1));
  assert_true(wait_for_holders(f.daemon.port(), "two", 1));
  proxy.set(FaultProxy::Mode::late);
  double apart = 0;  // by how much the leases' ends differ
  const auto renewed = [&] { return f.daemon.log_lines("renewed").size(); };
  size_t failures = 0;  // of renewals, on a machine so slow that 0.8 s become 1.5
  const auto failed = [&] {
    return late.err().find("renewal failed", failures) != std::string::npos;
  };
  for (size_t before = 0, seen = 1; before != seen || failed();) {
    failures = late.err().size();
    f.daemon.send_signal(SIGCONT);
    f.daemon.forget_log();
    assert_true(eventually([&] {
      const auto lines = f.daemon.log_lines("event=renewed");
      return std::any_of(lines.begin(), lines.end(), [](const std::string& line) {
        return line.find("pool=one") != std::string::npos;
      });
    }));
    const auto then = Clock::now();  // its answer comes, and no other renewal, within 1.2 s
    assert_true(eventually([&] { return Clock::now() - then > milliseconds(1200); }));
    before = renewed();
    const auto end = f.lease_end("one");
    const auto control_end = f.lease_end("two");
    assert_true(end && control_end);
    f.daemon.send_signal(SIGSTOP);
    seen = renewed();
    apart = std::chrono::duration<double>(*end - *control_end).count();
  }
  const auto at = asked_to_end_at(late);
  const auto control_at = asked_to_end_at(control);
  assert_true(at && control_at);
  assert_that(*at - *control_at - apart < 0.4, "%.3f s too late", *at - *control_at - apart);
  assert_int_equal(late.finish().code, 74);
  assert_int_equal(control.finish().code, 74);
}

// A server that forgot has granted the same host and id a new lock: it belongs to another run.
void a_lock_of_the_next_run_with_the_same_id_is_left_alone(void** state) {
  auto& f = fixture_of<Fixture>(state);
  const std::string go = f.dir.file("go");
  Client client(
      f.args({"--lease", "300", "-i", "run", "while ! [ -e " + go + " ]; do sleep 0.01; done"}));
  assert_true(wait_for_holders(f.daemon.port(), "one", 1));
  const std::string host = pool_state(f.daemon.port(), "one").holders.front().host;
  f.daemon.kill_now();
  assert_true(f.daemon.restart());
  assert_text(word(f.daemon.port(), "/get/?pool=one&id=run&host=" + host), "YES");
  write_file(go, "");
  const Ended ended = client.finish();
  assert_int_equal(ended.code, 74);
  assert_non_null(strstr(ended.err.c_str(), "had been lost before the command ended"));
  assert_int_equal(pool_state(f.daemon.port(), "one").holders.size(), 1);
}

}  // namespace
}  // namespace distributex::test

int main() {
  using namespace distributex::test;
  const CMUnitTest tests[] = {
      test_with(Fixture, a_lease_is_renewed_as_long_as_the_command_runs),
      test_with(Fixture, a_silent_server_has_everything_dead_before_the_lease_ends),
      test_with(Fixture, a_command_may_end_properly_on_term),
      test_with(Fixture, a_short_silence_is_survived),
      test_with(Fixture, a_server_that_was_killed_and_forgot_ends_the_command),
      test_with(Fixture, a_lock_taken_away_ends_the_command),
      test_with(Fixture, everybody_hears_of_the_end_before_being_killed),
      test_with(Fixture, a_lock_lost_unnoticed_is_74_although_the_command_succeeded),
      test_with(Fixture, a_release_that_cannot_be_delivered_is_said_and_changes_no_code),
      test_with(Fixture, a_release_is_retried),
      test_with(Fixture, a_lease_that_never_ends_survives_silence_but_not_a_loss),
      test_with(Fixture, a_lease_counts_from_before_its_renewal_was_sent),
      test_with(Fixture, a_lock_of_the_next_run_with_the_same_id_is_left_alone),
  };
  return run_beside(tests);
}
