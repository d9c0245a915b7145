// SPDX-License-Identifier: MIT
// distributex on a system that refuses things: each system call of a session in
// turn, processes, memory, /proc; and with clocks and locales that are unlike those
// of the test's machine.
#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <memory>

#include "support/client.h"
#include "support/client_original.h"
#include "support/daemon.h"
#include "support/failcall.h"
#include "support/namespace.h"
#include "support/scenes.h"
#include "support/status.h"
#include "support/test.h"

namespace distributex::test {
namespace {

constexpr std::string_view config = R"(pools:
  - name: one
  - name: many
    maxlocks: 1000
)";

struct Fixture {
  Daemon daemon{config};
  TempDir dir;

  bool begin() { return daemon.start(); }
  bool finish() { return daemon.stop(); }

  [[nodiscard]] std::vector<std::string> args(const std::vector<std::string>& more) const {
    return on(daemon.port(), "one", more);
  }
};

Client::Setup with(const FailCall& faults, const std::vector<std::string>& more = {}) {
  std::vector<std::string> environment = faults.environment();
  environment.insert(environment.end(), more.begin(), more.end());
  Client::Setup setup;
  setup.environment = own_environment_and(environment);
  return setup;
}

// A short run whose n-th system call fails.
class Session {
 public:
  Session(const Fixture& f, uint64_t call, int error)
      : f_(f),
        call_(call),
        error_(error),
        mark_(f.dir.file(std::to_string(error) + "-" + std::to_string(call))) {
    faults_.fail(call, error);
    client_ = std::make_unique<Client>(
        on(f.daemon.port(), "many", {"--lease", "600", "-i", id(), "--", "touch", mark_}),
        with(faults_));
  }

  // The client must exit by itself, with a message when anything went wrong, and may exit 0 only
  // when the command was run.
  void check() {
    const Ended ended = client_->finish();
    const std::string what = "call " + std::to_string(call_) + " (" + faults_.page().failed +
                             "): " + strerrorname_np(error_) + ": exit " +
                             std::to_string(ended.code) + ", \"" + ended.err + "\"";
    // 64: the file of options cannot be read.
    constexpr int known[] = {0, 64, 69, 71, 74, 126, 127};
    assert_that(std::find(std::begin(known), std::end(known), ended.code) != std::end(known), "%s",
                what.c_str());
    assert_that(ended.code != 0 || access(mark_.c_str(), F_OK) == 0, "%s: not run", what.c_str());
    assert_that(ended.code == 0 || !ended.err.empty(), "%s", what.c_str());
    gave_back_ = ended.err.find("could not give back") == std::string::npos;
  }
  // Whether the client has said that it could not give back the lock of this id.
  [[nodiscard]] bool explains(const std::string& held_id) const {
    return !gave_back_ && held_id == id();
  }
  [[nodiscard]] uint64_t calls() { return faults_.page().calls; }

 private:
  [[nodiscard]] std::string id() const {
    return std::to_string(call_) + "-" + strerrorname_np(error_);
  }

  const Fixture& f_;
  bool gave_back_ = false;
  uint64_t call_;
  int error_;
  std::string mark_;
  FailCall faults_{"distributex"};
  std::unique_ptr<Client> client_;
};

// Each call fails in one of the ways, by its number; in all of them when the environment says
// DISTRIBUTEX_TEST_ALL, which takes minutes.
void every_system_call_may_fail(void** state) {
  auto& f = fixture_of<Fixture>(state);
  if (sanitized) {
    print_message("the sanitizer's own calls would fail\n");
    skip();
  }
  Session whole(f, 0, EINTR);
  whole.check();
  const uint64_t calls = whole.calls();
  assert_true(calls > 50);
  constexpr int errors[] = {EINTR, EAGAIN, EMFILE, ENOMEM, EPERM};
  std::vector<std::pair<uint64_t, int>> faults;
  for (uint64_t call = 1; call <= calls; ++call) {
    for (size_t i = 0; i < std::size(errors); ++i) {
      if (call % std::size(errors) == i || getenv("DISTRIBUTEX_TEST_ALL") != nullptr) {
        faults.emplace_back(call, errors[i]);
      }
    }
  }
  constexpr size_t beside = 6;
  std::vector<std::unique_ptr<Session>> sessions;
  for (const auto& [call, error] : faults) {
    if (sessions.size() >= beside) {
      sessions[sessions.size() - beside]->check();
    }
    sessions.push_back(std::make_unique<Session>(f, call, error));
  }
  for (size_t i = sessions.size() - std::min(beside, sessions.size()); i < sessions.size(); ++i) {
    sessions[i]->check();
  }
  std::string kept;
  const bool is_all_given_back = eventually([&] {
    kept.clear();
    for (const HolderState& holder : pool_state(f.daemon.port(), "many").holders) {
      if (std::none_of(sessions.begin(), sessions.end(),
                       [&](const auto& session) { return session->explains(holder.id); })) {
        kept += holder.id + " ";
      }
    }
    return kept.empty();
  });
  assert_that(is_all_given_back, "kept a lock without a word: calls %s", kept.c_str());
}

void a_refused_process_gives_the_lock_back_at_once(void** state) {
  auto& f = fixture_of<Fixture>(state);
  FailCall faults("distributex");
  faults.fail(1, EAGAIN, "fork", 1000);
  Client client(f.args({"--lease", "600", "echo ran"}), with(faults));
  const Ended ended = client.finish();
  assert_int_equal(ended.code, 126);
  assert_text(ended.out, "");
  assert_text(ended.err,
              "distributex: cannot make a process for the command: fork: Resource temporarily "
              "unavailable\n");
  assert_true(f.daemon.wait_for_log("event=released").has_value());
  assert_int_equal(pool_state(f.daemon.port(), "one").holders.size(), 0);
}

// The lease went on at the server while the machine was asleep.
void a_suspend_that_outlasts_the_lease_ends_the_command(void** state) {
  auto& f = fixture_of<Fixture>(state);
  FailCall faults("distributex");
  const std::string pid_file = f.dir.file("pid");
  Client client(
      f.args({"--lease", "300", "--", "sh", "-c", "echo $$ >" + pid_file + "; exec sleep 1000"}),
      with(faults));
  const pid_t command = wait_for_pid(pid_file);
  faults.page().ahead_of_boot_ns = 400'000'000'000;
  client.send(SIGCONT);  // something happens, as after a suspend
  assert_true(wait_for_death({command}));
  const Ended ended = client.finish();
  assert_int_equal(ended.code, 74);
  assert_non_null(strstr(ended.err.c_str(), "lost the lock on one"));
}

void a_year_of_uptime_changes_nothing(void** state) {
  auto& f = fixture_of<Fixture>(state);
  FailCall faults("distributex");
  faults.page().ahead_of_boot_ns = 365LL * 86400 * 1'000'000'000;
  Client holder(f.args({"--lease", "1", "echo ready; exec sleep 1000"}), with(faults));
  assert_true(eventually([&] { return holder.out() == "ready\n"; }));
  Client waiting(f.args({"-w", "2.5", "true"}), with(faults));
  assert_int_equal(waiting.finish().code, 75);
  holder.send(SIGTERM);
  const Ended ended = holder.finish();
  assert_int_equal(ended.code, died_by + SIGTERM);
  assert_text(ended.err, "");
}

void a_decimal_comma_stays_out_of_requests(void** state) {
  if (sanitized) {
    print_message("the preload's locale is never freed, which a sanitizer reports\n");
    skip();
  }
  auto& f = fixture_of<Fixture>(state);
  const std::string make = "localedef -i de_DE -f UTF-8 " + f.dir.file("de_DE.UTF-8") + " 2>&1";
  if (system(make.c_str()) != 0) {
    print_message("no localedef, or no sources of de_DE (package locales)\n");
    skip();
  }
  FailCall faults("distributex");
  faults.page().has_locale = true;
  assert_text(word(f.daemon.port(), "/get/?pool=one&host=other"), "YES");
  Client client(f.args({"-w", "1.5", "true"}),
                with(faults, {"LC_ALL=de_DE.UTF-8", "LOCPATH=" + f.dir.path()}));
  const Ended ended = client.finish();
  assert_that(ended.code == 75, "exit %d: %s", ended.code, ended.err.c_str());
}

// Memory of every size, from too little to be loaded to enough.
void too_little_memory_is_said(void** state) {
  if (sanitized) {
    print_message("a sanitizer needs more address space than there is\n");
    skip();
  }
  auto& f = fixture_of<Fixture>(state);
  (void)f;
  const std::string body =
      R"({"pools": [], "filler": ")" + std::string(size_t{8} << 20, 'x') + "\"}";
  const StandIn server = StandIn::fixed(
      "HTTP/1.1 200 OK\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body);
  size_t said = 0;
  for (rlim_t mib = 16; mib <= 128; mib += 8) {
    Client::Setup small;
    small.in_child = [mib] {
      const rlimit limit{mib << 20, mib << 20};
      setrlimit(RLIMIT_AS, &limit);
    };
    Client client({"-H", "127.0.0.1:" + std::to_string(server.port()), "--status"}, small);
    const Ended ended = client.finish();
    assert_that(ended.code >= 0 && ended.code < died_by, "%lu MiB: died, \"%s\"",
                static_cast<unsigned long>(mib), ended.err.c_str());
    assert_that(ended.code == 0 || !ended.err.empty(), "%lu MiB: exit %d",
                static_cast<unsigned long>(mib), ended.code);
    if (ended.code == 71) {
      ++said;
      assert_non_null(strstr(ended.err.c_str(), "Cannot allocate memory"));
    }
  }
  assert_true(said > 0);
}

// Without /proc the client cannot find a process that left the group, so it must not claim that
// all have ended.
void without_proc_nothing_outlives_the_lease_unnoticed(void** state) {
  if (sanitized) {
    print_message("a leak check needs /proc\n");
    skip();
  }
  auto& f = fixture_of<Fixture>(state);
  const std::string pid_file = f.dir.file("pid");
  const std::string no_namespace = f.dir.file("no-namespace");
  Client::Setup hidden;
  hidden.in_child = [&no_namespace] {
    if (!enter_namespaces(CLONE_NEWNS).empty() ||
        mount("none", "/proc", "tmpfs", MS_RDONLY, nullptr) != 0) {
      write_file(no_namespace, "");
      _exit(98);
    }
  };
  Client client(
      f.args({"--lease", "3", "-i", "run",
              "setsid sh -c 'echo $$ >" + pid_file + "; exec sleep 1000' & exec sleep 1000"}),
      hidden);
  if (eventually([&] {
        return access(no_namespace.c_str(), F_OK) == 0 || access(pid_file.c_str(), F_OK) == 0;
      }) &&
      access(no_namespace.c_str(), F_OK) == 0) {
    print_message("no namespaces here\n");
    skip();
  }
  const pid_t left = wait_for_pid(pid_file);
  const std::string host = pool_state(f.daemon.port(), "one").holders.at(0).host;
  assert_text(word(f.daemon.port(), "/release/?pool=one&id=run&host=" + host), "OK");
  assert_true(
      eventually([&] { return client.err().find("/proc cannot be read") != std::string::npos; }));
  assert_true(client.running());
  kill(left, SIGKILL);
  assert_int_equal(client.finish().code, 74);
}

}  // namespace
}  // namespace distributex::test

int main() {
  using namespace distributex::test;
  const CMUnitTest tests[] = {
      test_with(Fixture, every_system_call_may_fail),
      test_with(Fixture, a_refused_process_gives_the_lock_back_at_once),
      test_with(Fixture, a_suspend_that_outlasts_the_lease_ends_the_command),
      test_with(Fixture, a_year_of_uptime_changes_nothing),
      test_with(Fixture, a_decimal_comma_stays_out_of_requests),
      test_with(Fixture, too_little_memory_is_said),
      test_with(Fixture, without_proc_nothing_outlives_the_lease_unnoticed),
  };
  return run_beside(tests);
}
