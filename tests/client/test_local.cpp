// SPDX-License-Identifier: MIT
// distributex -l: the lock on one host, where its file is, whom it excludes, and
// which files it does not fall for.
#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "client/locallock.h"
#include "support/client.h"
#include "support/daemon.h"
#include "support/namespace.h"
#include "support/scenes.h"
#include "support/status.h"
#include "support/test.h"

namespace distributex::test {
namespace {

constexpr std::string_view config = R"(pools:
  - name: many
    maxlocks: 10
)";

struct Fixture {
  Daemon daemon{config};
  TempDir dir;
  std::string path;  // of the lock file

  bool begin() {
    if (!daemon.start()) {
      return false;
    }
    path = "/run/lock/" + client::local_lock_name({{"127.0.0.1", daemon.port()}}, "many");
    return access(path.c_str(), F_OK) != 0;
  }
  bool finish() {
    unlink(path.c_str());
    return daemon.stop();
  }

  [[nodiscard]] std::vector<std::string> args(const std::vector<std::string>& more) const {
    return on(daemon.port(), "many", more);
  }
  // The descriptors of a process that lead to the lock file.
  [[nodiscard]] bool is_open_in(pid_t pid) const {
    for (int fd = 0; fd < 64; ++fd) {
      char target[4096];
      const std::string link = "/proc/" + std::to_string(pid) + "/fd/" + std::to_string(fd);
      const ssize_t length = readlink(link.c_str(), target, sizeof target);
      if (length > 0 && std::string_view(target, static_cast<size_t>(length)) == path) {
        return true;
      }
    }
    return false;
  }
};

void two_runs_with_l_exclude_each_other_though_the_pool_has_room(void** state) {
  auto& f = fixture_of<Fixture>(state);
  Client first(f.args({"-l", "--", "sleep", "1000"}));
  assert_true(wait_for_holders(f.daemon.port(), "many", 1));
  const Ended second = run_client(f.args({"-l", "-n", "true"}));
  assert_int_equal(second.code, 75);
  assert_int_equal(lines_in(second.err), 1);
  assert_int_equal(run_client(f.args({"-l", "-n", "-E", "0", "true"})).code, 0);
  assert_int_equal(run_client(f.args({"-l", "-w", "0.3", "true"})).code, 75);
  assert_int_equal(run_client(f.args({"-n", "true"})).code, 0);
  first.send(SIGTERM);
  assert_int_equal(first.finish().code, died_by + SIGTERM);
  assert_int_equal(run_client(f.args({"-l", "-n", "true"})).code, 0);
}

void a_waiting_run_goes_on_when_the_first_ends(void** state) {
  auto& f = fixture_of<Fixture>(state);
  Client first(f.args({"-l", "--", "sleep", "1000"}));
  assert_true(wait_for_holders(f.daemon.port(), "many", 1));
  Client second(f.args({"-l", "-v", "--", "echo", "second"}));
  assert_true(eventually(
      [&] { return second.err().find("another run on this host") != std::string::npos; }));
  assert_int_equal(pool_state(f.daemon.port(), "many").holders.size(), 1);
  first.send(SIGTERM);
  assert_int_equal(first.finish().code, died_by + SIGTERM);
  const Ended ended = second.finish();
  assert_int_equal(ended.code, 0);
  assert_text(ended.out, "second\n");
}

void a_signal_ends_the_wait_for_the_local_lock(void** state) {
  auto& f = fixture_of<Fixture>(state);
  Client first(f.args({"-l", "--", "sleep", "1000"}));
  assert_true(wait_for_holders(f.daemon.port(), "many", 1));
  Client second(f.args({"-l", "-v", "--", "echo", "second"}));
  assert_true(eventually(
      [&] { return second.err().find("another run on this host") != std::string::npos; }));
  second.send(SIGINT);
  const Ended ended = second.finish();
  assert_int_equal(ended.code, died_by + SIGINT);
  assert_text(ended.out, "");
}

// The server is dead, and the first run has not noticed yet.
void no_two_runs_overlap_with_a_dead_server(void** state) {
  auto& f = fixture_of<Fixture>(state);
  Client first(f.args({"-l", "--", "sleep", "1000"}));
  assert_true(wait_for_holders(f.daemon.port(), "many", 1));
  f.daemon.kill_now();
  const Ended second = run_client(f.args({"-l", "-n", "echo overlap"}));
  assert_int_equal(second.code, 75);
  assert_text(second.out, "");
  // After its restart the server has forgotten the lock and would grant it again.
  assert_true(f.daemon.restart());
  const Ended third = run_client(f.args({"-l", "-n", "echo overlap"}));
  assert_int_equal(third.code, 75);
  assert_text(third.out, "");
  first.send(SIGTERM);
  (void)first.finish();
}

void a_dead_server_alone_is_69_and_leaves_no_local_lock(void** state) {
  auto& f = fixture_of<Fixture>(state);
  f.daemon.kill_now();
  assert_int_equal(run_client(f.args({"-l", "true"})).code, 69);
  const int fd = open(f.path.c_str(), O_RDWR | O_CLOEXEC);
  assert_true(fd >= 0);
  assert_int_equal(flock(fd, LOCK_EX | LOCK_NB), 0);
  close(fd);
}

void the_command_does_not_inherit_the_lock(void** state) {
  auto& f = fixture_of<Fixture>(state);
  const std::string pid_file = f.dir.file("pid");
  const Ended ended = run_client(f.args({"-l", "setsid sh -c 'echo $$ >" + pid_file +
                                                   "; exec sleep 1000' >/dev/null & "
                                                   "while ! [ -s " +
                                                   pid_file + " ]; do sleep 0.01; done"}));
  assert_int_equal(ended.code, 0);
  const pid_t left_behind = wait_for_pid(pid_file);
  assert_true(is_alive(left_behind));
  assert_int_equal(run_client(f.args({"-l", "-n", "true"})).code, 0);
  kill(left_behind, SIGKILL);
}

void both_our_processes_hold_it_so_it_outlives_either(void** state) {
  auto& f = fixture_of<Fixture>(state);
  Client client(f.args({"-l", "trap '' TERM; echo ready; while :; do sleep 0.05; done"}));
  assert_true(eventually([&] { return client.out() == "ready\n"; }));
  const std::vector<pid_t> keeper = children_of(client.pid());
  assert_int_equal(keeper.size(), 1);
  assert_true(f.is_open_in(client.pid()));
  assert_true(f.is_open_in(keeper.front()));
  const std::vector<pid_t> command = children_of(keeper.front());
  client.send(SIGKILL);
  (void)client.finish();
  assert_int_equal(run_client(f.args({"-l", "-n", "true"})).code, 75);
  assert_true(wait_for_death(command));
  assert_true(wait_for_death(keeper));
  assert_int_equal(run_client(f.args({"-l", "-n", "true"})).code, 0);
}

void the_file_is_ours_alone(void** state) {
  auto& f = fixture_of<Fixture>(state);
  assert_int_equal(run_client(f.args({"-l", "true"})).code, 0);
  struct stat status {};
  assert_int_equal(lstat(f.path.c_str(), &status), 0);
  assert_true(S_ISREG(status.st_mode));
  assert_int_equal(status.st_mode & 07777, 0600);
  assert_int_equal(status.st_uid, geteuid());
}

void a_link_or_a_strangers_file_is_refused(void** state) {
  auto& f = fixture_of<Fixture>(state);
  const std::string target = f.dir.file("target");
  write_file(target, "precious");
  struct Trap {
    const char* what;
    std::function<bool()> lay;
  };
  const std::vector<Trap> traps = {
      {"a symbolic link", [&] { return symlink(target.c_str(), f.path.c_str()) == 0; }},
      {"a dangling link",
       [&] { return symlink(f.dir.file("nothing").c_str(), f.path.c_str()) == 0; }},
      {"a file others can write",
       [&] {
         write_file(f.path, "");
         return chmod(f.path.c_str(), 0666) == 0;
       }},
      {"a fifo", [&] { return mkfifo(f.path.c_str(), 0600) == 0; }},
      {"a folder", [&] { return mkdir(f.path.c_str(), 0700) == 0; }},
      {"a stranger's file",
       [&] {
         write_file(f.path, "");
         return geteuid() != 0 || chown(f.path.c_str(), 65534, 65534) == 0;
       }},
  };
  for (const Trap& trap : traps) {
    if (geteuid() != 0 && strcmp(trap.what, "a stranger's file") == 0) {
      continue;
    }
    assert_true(trap.lay());
    const Ended ended = run_client(f.args({"-l", "echo ran"}));
    assert_that(ended.code == 69 && ended.out.empty(), "%s: exit %d", trap.what, ended.code);
    assert_int_equal(lines_in(ended.err), 1);
    assert_true(unlink(f.path.c_str()) == 0 || rmdir(f.path.c_str()) == 0);
  }
  assert_text(read_whole_file(target), "precious");
  assert_int_equal(access(f.dir.file("nothing").c_str(), F_OK), -1);
}

// The command has the descriptors 0 to 2, inherited ones (9 here), and none of the client.
void no_descriptor_of_ours_leaks_and_inherited_ones_stay(void** state) {
  auto& f = fixture_of<Fixture>(state);
  Client::Setup setup;
  setup.in_child = [] {
    for (int fd = 3; fd < 256; ++fd) {
      close(fd);
    }
    dup2(0, 9);
  };
  Client client(f.args({"-l", "--", "/bin/sh", "-c", "cd /proc/self/fd && echo *"}), setup);
  const Ended ended = client.finish();
  // The shell itself may have opened 3 to read the folder.
  assert_that(ended.out == "0 1 2 9\n" || ended.out == "0 1 2 3 9\n", "%s", ended.out.c_str());
}

// Somebody removes the lock file while a run waits for it. That run then locks a file that is
// gone, and must lock the new one.
void a_lock_file_that_was_removed_protects_nothing(void** state) {
  auto& f = fixture_of<Fixture>(state);
  Client first(f.args({"-l", "--", "sleep", "1000"}));
  assert_true(wait_for_holders(f.daemon.port(), "many", 1));
  Client second(f.args({"-l", "-v", "--", "sleep", "1000"}));
  assert_true(eventually(
      [&] { return second.err().find("another run on this host") != std::string::npos; }));
  assert_int_equal(unlink(f.path.c_str()), 0);
  Client third(f.args({"-l", "--", "sleep", "1000"}));
  assert_true(wait_for_holders(f.daemon.port(), "many", 2));
  first.send(SIGTERM);
  assert_int_equal(first.finish().code, died_by + SIGTERM);
  // The second run says once more that it waits, now for the third.
  assert_true(eventually([&] { return lines_in(second.err()) >= 2; }));
  assert_int_equal(pool_state(f.daemon.port(), "many").holders.size(), 1);
  third.send(SIGTERM);
  assert_int_equal(third.finish().code, died_by + SIGTERM);
  assert_true(wait_for_holders(f.daemon.port(), "many", 1));
  second.send(SIGTERM);
  assert_int_equal(second.finish().code, died_by + SIGTERM);
}

// A sandbox may not know pidfd_open, or forbid it.
void a_wait_needs_no_system_call_that_sandboxes_refuse(void** state) {
  auto& f = fixture_of<Fixture>(state);
  Client first(f.args({"-l", "--", "sleep", "1000"}));
  assert_true(wait_for_holders(f.daemon.port(), "many", 1));
  std::vector<std::unique_ptr<Client>> waiting;
  for (const int error : {EPERM, ENOSYS}) {
    Client::Setup sandbox;
    sandbox.in_child = [error] {
      const uint32_t refusal = SECCOMP_RET_ERRNO | static_cast<uint32_t>(error);
      sock_filter code[] = {
          BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr)),
          BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_pidfd_open, 0, 1),
          BPF_STMT(BPF_RET | BPF_K, refusal),
          BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
      };
      const sock_fprog program = {4, code};
      prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
      if (prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) != 0) {
        _exit(98);
      }
    };
    waiting.push_back(std::make_unique<Client>(f.args({"-l", "-v", "--", "echo", "ran"}), sandbox));
    assert_true(eventually([&] {
      return waiting.back()->err().find("another run on this host") != std::string::npos;
    }));
  }
  first.send(SIGTERM);
  assert_int_equal(first.finish().code, died_by + SIGTERM);
  for (const auto& client : waiting) {
    const Ended ended = client->finish();
    assert_that(ended.code == 0, "exit %d: %s", ended.code, ended.err.c_str());
    assert_text(ended.out, "ran\n");
  }
}

// A user has one place for the lock file, whatever the environment says.
void the_place_does_not_depend_on_the_environment(void** state) {
  auto& f = fixture_of<Fixture>(state);
  if (const std::string trouble = enter_namespaces(CLONE_NEWNS); !trouble.empty()) {
    print_message("no namespaces here: %s\n", trouble.c_str());
    skip();
  }
  TempDir elsewhere;
  Client::Setup login;
  login.environment = {"PATH=/usr/bin:/bin", "XDG_RUNTIME_DIR=" + elsewhere.path(),
                       "TMPDIR=" + elsewhere.path()};
  Client::Setup cron;
  cron.environment = {"PATH=/usr/bin:/bin"};
  const auto exclude_each_other = [&] {
    Client first(f.args({"-l", "--", "sleep", "1000"}), login);
    assert_true(wait_for_holders(f.daemon.port(), "many", 1));
    for (const auto& setup : {login, cron}) {
      Client second(f.args({"-l", "-n", "true"}), setup);
      assert_int_equal(second.finish().code, 75);
    }
    first.send(SIGTERM);
    assert_int_equal(first.finish().code, died_by + SIGTERM);
  };
  exclude_each_other();
  // The file is there, and the folder has become read-only.
  assert_int_equal(mount("/run/lock", "/run/lock", nullptr, MS_BIND, nullptr), 0);
  assert_int_equal(mount(nullptr, "/run/lock", nullptr, MS_BIND | MS_REMOUNT | MS_RDONLY, nullptr),
                   0);
  exclude_each_other();
  assert_int_equal(umount("/run/lock"), 0);
  // The file is not there, and the folder is read-only.
  unlink(f.path.c_str());
  assert_int_equal(mount("/run/lock", "/run/lock", nullptr, MS_BIND, nullptr), 0);
  assert_int_equal(mount(nullptr, "/run/lock", nullptr, MS_BIND | MS_REMOUNT | MS_RDONLY, nullptr),
                   0);
  exclude_each_other();
  unlink(("/tmp/" + f.path.substr(strlen("/run/lock/"))).c_str());
  assert_int_equal(access(f.path.c_str(), F_OK), -1);
}

void the_name_tells_pools_and_servers_apart_and_no_order(void**) {
  using client::local_lock_name;
  const std::string one = local_lock_name({{"a", 1}, {"b", 2}}, "pool/../x");
  assert_text(local_lock_name({{"b", 2}, {"a", 1}}, "pool/../x"), one);
  assert_true(local_lock_name({{"a", 1}}, "pool/../x") != one);
  assert_true(local_lock_name({{"a", 1}, {"b", 2}}, "pool____x") != one);
  assert_true(one.find("..") == std::string::npos);
  assert_true(local_lock_name({{"a", 1}}, std::string(255, 'p')).size() < 255);
}

}  // namespace
}  // namespace distributex::test

int main() {
  using namespace distributex::test;
  const CMUnitTest tests[] = {
      test_with(Fixture, two_runs_with_l_exclude_each_other_though_the_pool_has_room),
      test_with(Fixture, a_waiting_run_goes_on_when_the_first_ends),
      test_with(Fixture, a_signal_ends_the_wait_for_the_local_lock),
      test_with(Fixture, no_two_runs_overlap_with_a_dead_server),
      test_with(Fixture, a_dead_server_alone_is_69_and_leaves_no_local_lock),
      test_with(Fixture, the_command_does_not_inherit_the_lock),
      test_with(Fixture, both_our_processes_hold_it_so_it_outlives_either),
      test_with(Fixture, the_file_is_ours_alone),
      test_with(Fixture, a_link_or_a_strangers_file_is_refused),
      test_with(Fixture, no_descriptor_of_ours_leaks_and_inherited_ones_stay),
      test_with(Fixture, a_lock_file_that_was_removed_protects_nothing),
      test_with(Fixture, a_wait_needs_no_system_call_that_sandboxes_refuse),
      test_with(Fixture, the_place_does_not_depend_on_the_environment),
      cmocka_unit_test(the_name_tells_pools_and_servers_apart_and_no_order),
  };
  return run_beside(tests);
}
