// SPDX-License-Identifier: MIT
// How a run of distributex is stopped, and what it says about waiting: signals that
// reach all of its processes at once, a release that is under way, what may not be
// signalled, what is left of a command, a run inside a run.
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>

#include "support/client.h"
#include "support/daemon.h"
#include "support/faultproxy.h"
#include "support/scenes.h"
#include "support/status.h"
#include "support/test.h"

namespace distributex::test {
namespace {

constexpr std::string_view config = R"(pools:
  - name: one
  - name: two
    maxlocks: 2
)";

struct Fixture {
  Daemon daemon{config};
  TempDir dir;

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
  [[nodiscard]] std::string pid_file(int i) const { return dir.file("pid" + std::to_string(i)); }
};

bool heard(const Client& client, const std::string& line) {
  return eventually(
      [&] { return ("\n" + client.out()).find("\n" + line + "\n") != std::string::npos; });
}

// Whoever stops a service signals the client, its keeper and the command, moments apart.
void a_signal_to_all_processes_at_once_gives_the_lock_back(void** state) {
  auto& f = fixture_of<Fixture>(state);
  FaultProxy slow(f.daemon.port());
  for (int i = 0; i < 4; ++i) {
    Client client(on(slow.port(), "one", {"--", "sleep", "1000"}));
    std::vector<pid_t> keeper;
    std::vector<pid_t> command;
    assert_true(eventually([&] {
      keeper = children_of(client.pid());
      command = keeper.size() == 1 ? children_of(keeper.front()) : std::vector<pid_t>();
      return command.size() == 1;
    }));
    slow.set(FaultProxy::Mode::stall);  // the release is under way for a while
    client.send(SIGTERM);
    assert_true(eventually([&] { return !is_pending(client.pid(), SIGTERM); }));
    kill(keeper.front(), SIGTERM);
    assert_true(wait_for_death(command));
    assert_true(eventually([&] { return !is_pending(keeper.front(), SIGTERM); }));
    slow.set(FaultProxy::Mode::pass);
    const Ended ended = client.finish();
    assert_int_equal(ended.code, died_by + SIGTERM);
    assert_text(ended.err, "");
    assert_true(wait_for_holders(f.daemon.port(), "one", 0));
  }
}

void a_signal_that_reaches_both_processes_reaches_the_command_once(void** state) {
  auto& f = fixture_of<Fixture>(state);
  Client client(
      f.args({"trap 'echo got HUP' HUP; trap 'echo over; exit 0' TERM; echo ready; "
              "while :; do sleep 0.02; done"}));
  assert_true(heard(client, "ready"));
  const std::vector<pid_t> keeper = children_of(client.pid());
  assert_int_equal(keeper.size(), 1);
  client.send(SIGSTOP);  // so that both signals are pending when the client reads them
  kill(keeper.front(), SIGHUP);
  assert_true(heard(client, "got HUP"));
  client.send(SIGHUP);
  client.send(SIGCONT);
  client.send(SIGTERM);
  assert_int_equal(client.finish().code, 0);
  assert_text(client.out(), "ready\ngot HUP\nover\n");
}

// One signal ends the command, and the release of the lock goes on. A second signal, some time
// later, ends the release, too.
void only_a_second_signal_well_apart_cuts_the_release_short(void** state) {
  auto& f = fixture_of<Fixture>(state);
  Client client(f.args({"--lease", "60", "echo ready; exec sleep 1000"}));
  assert_true(heard(client, "ready"));
  f.daemon.send_signal(SIGSTOP);
  const std::vector<pid_t> keeper = children_of(client.pid());
  const std::vector<pid_t> command = children_of(keeper.at(0));
  client.send(SIGTERM);
  client.send(SIGTERM);
  assert_true(wait_for_death(command));
  const auto since = Clock::now();
  assert_true(eventually([&] { return Clock::now() - since > milliseconds(700); }));
  assert_true(client.running());
  client.send(SIGTERM);
  const Ended ended = client.finish();
  assert_int_equal(ended.code, died_by + SIGTERM);
  assert_non_null(strstr(ended.err.c_str(), "could not give back the lock on one: interrupted"));
  f.daemon.send_signal(SIGCONT);
}

// The client ends by a signal only if it got that signal itself.
void a_signal_of_the_commands_own_is_an_exit_code(void** state) {
  auto& f = fixture_of<Fixture>(state);
  assert_int_equal(run_client(f.args({"kill -TERM $$"})).code, 143);
  Client client(f.args({"trap 'kill -KILL $$' TERM; echo ready; while :; do sleep 0.02; done"}));
  assert_true(heard(client, "ready"));
  client.send(SIGTERM);
  assert_int_equal(client.finish().code, 137);
}

void verbose_tells_what_is_waited_for_when_the_command_has_ended(void** state) {
  auto& f = fixture_of<Fixture>(state);
  Client client(
      f.args({"-v", "sh -c 'echo $$; exec sleep 1000' >" + f.pid_file(1) + " & while ! [ -s " +
                        f.pid_file(1) + " ]; do sleep 0.01; done; exit 5"}));
  const pid_t left_behind = wait_for_pid(f.pid_file(1));
  const std::string told =
      "the command has ended (5); the lock on one is held until the rest of "
      "its process group has ended: sleep (" +
      std::to_string(left_behind) + ")\n";
  assert_true(eventually([&] { return client.err().find(told) != std::string::npos; }));
  kill(left_behind, SIGKILL);
  assert_int_equal(client.finish().code, 5);
}

// The command is set-uid and runs as root, below a client that is not root.
// In a folder that is root's alone, such as /root, nobody else can run the client.
bool nobody_can_run_it() {
  const pid_t child = fork();
  if (child == 0) {
    const bool can =
        setresuid(65534, 65534, 65534) == 0 && access(getenv("DISTRIBUTEX"), X_OK) == 0;
    _exit(can ? 0 : 1);
  }
  int status = 0;
  return child > 0 && waitpid(child, &status, 0) == child && status == 0;
}

void a_command_that_may_not_be_signalled_is_said(void** state) {
  auto& f = fixture_of<Fixture>(state);
  if (geteuid() != 0 || !nobody_can_run_it()) {
    print_message("only root can make a program set-uid, and nobody must be able to run it\n");
    skip();
  }
  const std::string program = f.dir.file("become-root");
  std::filesystem::copy_file("/proc/self/exe", program);
  assert_int_equal(chmod(program.c_str(), 04755), 0);
  assert_int_equal(chmod(f.dir.path().c_str(), 0755), 0);
  const std::string pid_file = f.pid_file(0);
  write_file(pid_file, "");
  Client::Setup nobody;
  nobody.in_child = [] {
    if (setresgid(65534, 65534, 65534) != 0 || setresuid(65534, 65534, 65534) != 0) {
      _exit(98);
    }
  };
  Client client(f.args({"--", program, "--become-root", pid_file}), nobody);
  const pid_t command = wait_for_pid(pid_file);
  client.send(SIGTERM);
  assert_true(eventually([&] { return !client.err().empty(); }));
  assert_text(client.err(), "distributex: cannot signal the command: Operation not permitted\n");
  assert_true(client.running());
  kill(command, SIGKILL);
  assert_int_equal(client.finish().code, 137);
}

void a_run_inside_a_run_of_the_same_pool_is_warned_at_once(void** state) {
  auto& f = fixture_of<Fixture>(state);
  const std::string again = std::string(getenv("DISTRIBUTEX")) +
                            " -H 127.0.0.1:" + std::to_string(f.daemon.port()) + " -r ";
  Client client(f.args({"exec " + again + "one true"}));
  assert_true(eventually([&] { return !client.err().empty(); }));
  assert_non_null(strstr(client.err().c_str(), "inside the command of a run that has one"));
  client.send(SIGTERM);
  assert_int_equal(client.finish().code, died_by + SIGTERM);
  // The client says nothing when the pool has room, or is another one.
  const Ended room = run_client(on(f.daemon.port(), "two", {again + "two true"}));
  assert_int_equal(room.code, 0);
  assert_text(room.err, "");
  const Ended other = run_client(f.args({again + "two true"}));
  assert_int_equal(other.code, 0);
  assert_text(other.err, "");
}

// The run inside waits, and gets the lock when the holder is another client after all.
void a_run_inside_a_run_still_waits(void** state) {
  auto& f = fixture_of<Fixture>(state);
  assert_text(word(f.daemon.port(), "/get/?pool=one&host=other"), "YES");
  Client::Setup inside;
  inside.environment = {"PATH=/usr/bin:/bin", "DISTRIBUTEX_POOL=one"};
  Client client(f.args({"echo ran"}), inside);
  assert_true(wait_for_waiting(f.daemon.port(), "one", 1));
  assert_int_equal(lines_in(client.err()), 1);
  assert_text(word(f.daemon.port(), "/release/?pool=one&host=other"), "OK");
  const Ended ended = client.finish();
  assert_int_equal(ended.code, 0);
  assert_text(ended.out, "ran\n");
}

// The set-uid program of a_command_that_may_not_be_signalled_is_said.
[[noreturn]] void become_root(const char* pid_file) {
  if (setresuid(0, 0, 0) != 0) {
    _exit(1);
  }
  write_file(pid_file, std::to_string(getpid()) + "\n");
  for (;;) {
    pause();
  }
}

}  // namespace
}  // namespace distributex::test

int main(int argc, char** argv) {
  using namespace distributex::test;
  if (argc == 3 && strcmp(argv[1], "--become-root") == 0) {
    become_root(argv[2]);
  }
  const CMUnitTest tests[] = {
      test_with(Fixture, a_signal_to_all_processes_at_once_gives_the_lock_back),
      test_with(Fixture, a_signal_that_reaches_both_processes_reaches_the_command_once),
      test_with(Fixture, only_a_second_signal_well_apart_cuts_the_release_short),
      test_with(Fixture, a_signal_of_the_commands_own_is_an_exit_code),
      test_with(Fixture, verbose_tells_what_is_waited_for_when_the_command_has_ended),
      test_with(Fixture, a_command_that_may_not_be_signalled_is_said),
      test_with(Fixture, a_run_inside_a_run_of_the_same_pool_is_warned_at_once),
      test_with(Fixture, a_run_inside_a_run_still_waits),
  };
  return run_beside(tests);
}
