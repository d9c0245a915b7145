// SPDX-License-Identifier: MIT
// Signals on their way through distributex to a command and its children, and
// what happens when one of distributex's own two processes is killed.
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include "support/client.h"
#include "support/daemon.h"
#include "support/failcall.h"
#include "support/scenes.h"
#include "support/status.h"
#include "support/test.h"

namespace distributex::test {
namespace {

constexpr std::string_view config = R"(pools:
  - name: one
)";

// Command and grandchild say which signals come, and end by TERM only.
constexpr const char* listener =
    "for s in INT HUP QUIT USR1 USR2; do trap \"echo $0 got $s\" $s; done; "
    "trap 'echo $0 got TERM; exit 3' TERM; echo $0 ready; while :; do sleep 0.02; done";

struct Fixture {
  Daemon daemon{config};
  TempDir dir;

  bool begin() { return daemon.start(); }
  bool finish() { return daemon.stop(); }

  [[nodiscard]] std::vector<std::string> args(const std::vector<std::string>& more) const {
    return on(daemon.port(), "one", more);
  }
  [[nodiscard]] std::string pid_file(int i) const { return dir.file("pid" + std::to_string(i)); }
  // A command whose grandchild has a session of its own: pids of all three in files 0 to 2.
  [[nodiscard]] std::string family() const {
    return "echo $$ >" + pid_file(0) + "; (echo $BASHPID >" + pid_file(1) +
           "; exec sleep 1000) & " + "setsid sh -c 'echo $$ >" + pid_file(2) +
           "; exec sleep 1000' & wait";
  }
  [[nodiscard]] std::vector<pid_t> family_pids() const {
    return {wait_for_pid(pid_file(0)), wait_for_pid(pid_file(1)), wait_for_pid(pid_file(2))};
  }
};

// A process that a timer of its own ends at a given moment. How late it ends shows how late this
// machine is at that moment.
class Control {
 public:
  explicit Control(Clock::time_point due) : due_(due), pid_(fork()) {
    if (pid_ == 0) {
      prctl(PR_SET_PDEATHSIG, SIGKILL);
      const auto left = std::chrono::duration_cast<std::chrono::microseconds>(due - Clock::now());
      itimerval timer{};
      timer.it_value.tv_sec = left.count() / 1'000'000;
      timer.it_value.tv_usec = std::max<suseconds_t>(left.count() % 1'000'000, 1);
      signal(SIGALRM, SIG_DFL);
      setitimer(ITIMER_REAL, &timer, nullptr);
      for (;;) {
        pause();  // the timer's signal ends it
      }
    }
  }
  ~Control() {
    if (pid_ > 0) {
      kill(pid_, SIGKILL);
      waitpid(pid_, nullptr, 0);
    }
  }
  Control(const Control&) = delete;
  Control& operator=(const Control&) = delete;

  // Waits for its end; never negative.
  [[nodiscard]] Clock::duration lateness() {
    waitpid(pid_, nullptr, 0);
    pid_ = -1;
    return std::max(Clock::now() - due_, Clock::duration::zero());
  }

 private:
  Clock::time_point due_;
  pid_t pid_ = -1;
};

bool heard(const Client& client, const std::string& line) {
  return eventually(
      [&] { return ("\n" + client.out()).find("\n" + line + "\n") != std::string::npos; });
}

void each_signal_reaches_the_command_and_its_grandchild(void** state) {
  auto& f = fixture_of<Fixture>(state);
  const std::string script = f.dir.file("listener");
  write_file(script, listener);
  Client client(f.args({"sh -c \"$(cat " + script + ")\" grandchild & " + "exec sh -c \"$(cat " +
                        script + ")\" command"}));
  assert_true(heard(client, "command ready"));
  assert_true(heard(client, "grandchild ready"));
  for (const auto& [signal, name] : {std::pair(SIGINT, "INT"),
                                     {SIGHUP, "HUP"},
                                     {SIGQUIT, "QUIT"},
                                     {SIGUSR1, "USR1"},
                                     {SIGUSR2, "USR2"},
                                     {SIGTERM, "TERM"}}) {
    client.send(signal);
    assert_true(heard(client, std::string("command got ") + name));
    // A shell's background child ignores INT and QUIT.
    if (signal != SIGINT && signal != SIGQUIT) {
      assert_true(heard(client, std::string("grandchild got ") + name));
    }
  }
  assert_int_equal(client.finish().code, 3);
  assert_true(wait_for_holders(f.daemon.port(), "one", 0));
}

// However early a TERM comes, either the command is not run, or the command gets the signal.
void a_signal_in_the_first_moments_is_not_lost(void** state) {
  auto& f = fixture_of<Fixture>(state);
  for (int i = 0; i < 25; ++i) {
    FailCall counted("distributex");
    Client::Setup setup;
    setup.environment = own_environment_and(counted.environment());
    Client client(f.args({"--", "sleep", "1000"}), setup);
    // The signal comes two system calls later each time.
    const auto calls = static_cast<uint64_t>(2 * i);
    assert_true(eventually(
        [&] { return counted.page().calls >= calls || holders_of(f.daemon.port(), "one") != ""; }));
    client.send(SIGTERM);
    const int code = client.finish().code;
    assert_that(code == died_by + SIGTERM, "exit %d", code);
  }
  assert_true(wait_for_holders(f.daemon.port(), "one", 0));
}

void a_signal_between_fork_and_exec_is_not_lost(void** state) {
  auto& f = fixture_of<Fixture>(state);
  for (int i = 0; i < 25; ++i) {
    Client client(f.args({"--", "sleep", "1000"}));
    assert_true(f.daemon.wait_for_log("granted").has_value());
    f.daemon.forget_log();
    client.send(SIGUSR1);
    const int code = client.finish().code;
    assert_int_equal(code, died_by + SIGUSR1);
  }
}

// The lines of /proc/self/status that grep printed, as sets of the signals 1 to 31.
std::string signal_sets(const std::string& status) {
  std::string text;
  for (const char* name : {"SigBlk:", "SigIgn:"}) {
    const size_t at = status.find(name);
    const unsigned long set =
        at == std::string::npos ? ~0UL : strtoul(status.c_str() + at + strlen(name), nullptr, 16);
    char word[32];
    snprintf(word, sizeof word, "%s%lx ", name, set & 0x7fffffffUL);
    text += word;
  }
  return text;
}

void what_was_ignored_stays_ignored(void** state) {
  auto& f = fixture_of<Fixture>(state);
  Client::Setup nohup;
  nohup.in_child = [] { signal(SIGHUP, SIG_IGN); };
  Client client(f.args({"cat /proc/self/status; echo; exec sleep 1000"}), nohup);
  assert_true(heard(client, ""));
  assert_text(signal_sets(client.out()), "SigBlk:0 SigIgn:1 ");
  client.send(SIGHUP);
  client.send(SIGTERM);
  assert_int_equal(client.finish().code, died_by + SIGTERM);
}

void mask_and_dispositions_are_as_they_were(void** state) {
  auto& f = fixture_of<Fixture>(state);
  Client::Setup setup;
  setup.in_child = [] {
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGUSR2);
    sigprocmask(SIG_SETMASK, &set, nullptr);
    signal(SIGCHLD, SIG_IGN);
  };
  Client odd(f.args({"--", "cat", "/proc/self/status"}), setup);
  assert_text(signal_sets(odd.finish().out), "SigBlk:800 SigIgn:10000 ");
  Client plain(f.args({"--", "cat", "/proc/self/status"}));
  assert_text(signal_sets(plain.finish().out), "SigBlk:0 SigIgn:0 ");
}

void the_exit_code_counts_not_the_signal(void** state) {
  auto& f = fixture_of<Fixture>(state);
  Client client(f.args({"trap 'exit 0' TERM; echo ready; while :; do sleep 0.02; done"}));
  assert_true(heard(client, "ready"));
  client.send(SIGTERM);
  assert_int_equal(client.finish().code, 0);
}

// Those that stayed in its process group keep the lock; it is free when they are gone.
void the_lock_is_held_until_the_commands_group_is_gone(void** state) {
  auto& f = fixture_of<Fixture>(state);
  Client client(f.args({"sh -c 'echo $$; exec sleep 1000' >" + f.pid_file(1) + " & echo $$ >" +
                        f.pid_file(0) + "; while ! [ -s " + f.pid_file(1) +
                        " ]; do sleep 0.01; done; exit 5"}));
  const pid_t left_behind = wait_for_pid(f.pid_file(1));
  assert_true(wait_for_death({wait_for_pid(f.pid_file(0))}));
  assert_true(client.running());
  assert_int_equal(pool_state(f.daemon.port(), "one").holders.size(), 1);
  kill(left_behind, SIGKILL);
  assert_int_equal(client.finish().code, 5);
  assert_int_equal(pool_state(f.daemon.port(), "one").holders.size(), 0);
}

// A daemon that the command starts leaves the process group, so the client does not end it.
void a_daemon_that_the_command_started_lives_on_without_the_lock(void** state) {
  auto& f = fixture_of<Fixture>(state);
  const Ended ended = run_client(f.args({"setsid sh -c 'echo $$ >" + f.pid_file(0) +
                                         "; exec sleep 1000' >/dev/null & "
                                         "while ! [ -s " +
                                         f.pid_file(0) + " ]; do sleep 0.01; done"}));
  assert_int_equal(ended.code, 0);
  const pid_t daemon = wait_for_pid(f.pid_file(0));
  assert_true(is_alive(daemon));
  kill(daemon, SIGKILL);
  assert_int_equal(pool_state(f.daemon.port(), "one").holders.size(), 0);
}

// The client is dead and cannot renew: the keeper ends the command and its children, and gives
// the lock back.
void kill_9_of_the_client_ends_all_and_frees_the_lock(void** state) {
  auto& f = fixture_of<Fixture>(state);
  Client client(f.args({"--lease", "30", "--", "bash", "-c", f.family()}));
  const auto family = f.family_pids();
  const auto killed = Clock::now();
  client.send(SIGKILL);
  assert_int_equal(client.finish().code, died_by + SIGKILL);
  assert_true(wait_for_death(family));
  assert_true(wait_for_holders(f.daemon.port(), "one", 0));
  assert_true(Clock::now() - killed < std::chrono::seconds(30));
  assert_true(eventually([&] { return f.daemon.log_lines("event=released").size() == 1; }));
  assert_int_equal(f.daemon.log_lines("event=expired").size(), 0);
}

void kill_9_of_a_client_whose_command_ignores_term_frees_the_lock(void** state) {
  auto& f = fixture_of<Fixture>(state);
  Client client(f.args({"--lease", "6", "trap '' TERM; echo ready; while :; do sleep 0.1; done"}));
  assert_true(heard(client, "ready"));
  const auto killed = Clock::now();
  client.send(SIGKILL);
  assert_true(wait_for_holders(f.daemon.port(), "one", 0));
  assert_true(Clock::now() - killed < std::chrono::seconds(6));
}

// The keeper is dead: the front ends everything, and says so.
void kill_9_of_the_keeper_ends_all_and_is_74(void** state) {
  auto& f = fixture_of<Fixture>(state);
  Client client(f.args({"--", "bash", "-c", f.family()}));
  const auto family = f.family_pids();
  const std::vector<pid_t> keeper = children_of(client.pid());
  assert_int_equal(keeper.size(), 1);
  kill(keeper.front(), SIGKILL);
  const Ended ended = client.finish();
  assert_int_equal(ended.code, 74);
  assert_int_equal(lines_in(ended.err), 1);
  for (const pid_t pid : family) {
    assert_false(is_alive(pid));
  }
  assert_true(wait_for_holders(f.daemon.port(), "one", 0));
}

// The front is stopped by hand: the keeper goes on renewing, for much longer than a lease.
void a_stopped_client_keeps_its_lock(void** state) {
  auto& f = fixture_of<Fixture>(state);
  Client client(f.args(
      {"--lease", "1", "--", "sh", "-c", "echo $$ >" + f.pid_file(0) + "; exec sleep 1000"}));
  const pid_t command = wait_for_pid(f.pid_file(0));
  client.send(SIGSTOP);
  const auto stopped = Clock::now();
  assert_true(eventually([&] { return Clock::now() - stopped > milliseconds(2500); }));
  assert_true(is_alive(command));
  assert_int_equal(pool_state(f.daemon.port(), "one").holders.size(), 1);
  assert_int_equal(f.daemon.log_lines("expired").size(), 0);
  client.send(SIGCONT);
  client.send(SIGTERM);
  assert_int_equal(client.finish().code, died_by + SIGTERM);
}

// Both processes cannot stop at once by one signal; when the keeper alone is
// stopped, the front ends everything before the lease ends. The control is a process of the test
// that a timer ends shortly before the lease does: on a machine that is late, both are late.
void a_stopped_keeper_ends_all_before_the_lease_is_over(void** state) {
  auto& f = fixture_of<Fixture>(state);
  Client client(f.args({"--lease", "4", "--", "bash", "-c", f.family()}));
  const auto family = f.family_pids();
  const std::vector<pid_t> keeper = children_of(client.pid());
  assert_int_equal(keeper.size(), 1);
  stop_process(keeper.front());
  const auto asked = Clock::now();
  const PoolState pool = pool_state(f.daemon.port(), "one");
  assert_int_equal(pool.holders.size(), 1);
  const std::chrono::duration<double> left(pool.holders.front().expires_in.value_or(0));
  const auto end = asked + std::chrono::duration_cast<Clock::duration>(left);
  // The front looks at 19/20 of the lease, and has the rest of it to find and kill processes.
  Control control(end - milliseconds(100));
  assert_true(wait_for_death(family));
  const auto died = Clock::now();
  const auto late = control.lateness();
  assert_that(died < end + late, "%.3f s after the end, and the machine %.3f s late",
              std::chrono::duration<double>(died - end).count(),
              std::chrono::duration<double>(late).count());
  assert_int_equal(client.finish().code, 74);
}

}  // namespace
}  // namespace distributex::test

int main() {
  using namespace distributex::test;
  const CMUnitTest tests[] = {
      test_with(Fixture, each_signal_reaches_the_command_and_its_grandchild),
      test_with(Fixture, a_signal_in_the_first_moments_is_not_lost),
      test_with(Fixture, a_signal_between_fork_and_exec_is_not_lost),
      test_with(Fixture, what_was_ignored_stays_ignored),
      test_with(Fixture, mask_and_dispositions_are_as_they_were),
      test_with(Fixture, the_exit_code_counts_not_the_signal),
      test_with(Fixture, the_lock_is_held_until_the_commands_group_is_gone),
      test_with(Fixture, a_daemon_that_the_command_started_lives_on_without_the_lock),
      test_with(Fixture, kill_9_of_the_client_ends_all_and_frees_the_lock),
      test_with(Fixture, kill_9_of_a_client_whose_command_ignores_term_frees_the_lock),
      test_with(Fixture, kill_9_of_the_keeper_ends_all_and_is_74),
      test_with(Fixture, a_stopped_client_keeps_its_lock),
      test_with(Fixture, a_stopped_keeper_ends_all_before_the_lease_is_over),
  };
  return run_beside(tests);
}
