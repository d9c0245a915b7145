// SPDX-License-Identifier: MIT
// distributex at a terminal: an interactive shell on a pty runs it, keys are
// pressed, and what appears on the screen tells how jobs are controlled.
#include <fcntl.h>
#include <poll.h>
#include <pty.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/handle.h"
#include "support/client.h"
#include "support/daemon.h"
#include "support/scenes.h"
#include "support/slowness.h"
#include "support/status.h"
#include "support/test.h"

namespace distributex::test {
namespace {

constexpr std::string_view config = R"(pools:
  - name: one
)";

class Screen {
 public:
  bool begin() {
    pid_ = forkpty(&fd_, nullptr, nullptr, nullptr);
    if (pid_ == 0) {
      prctl(PR_SET_PDEATHSIG, SIGKILL);
      setenv("TERM", "dumb", 1);
      setenv("PS1", "prompt> ", 1);
      setenv("HISTFILE", "", 1);
      execl("/bin/bash", "bash", "--norc", "--noprofile", "--noediting", "-i", nullptr);
      _exit(99);
    }
    return pid_ > 0 && wait_for("prompt> ");
  }
  ~Screen() {
    if (pid_ > 0) {
      kill(pid_, SIGKILL);
      waitpid(pid_, nullptr, 0);
      close(fd_);
    }
  }

  void type(const std::string& text) { (void)!write(fd_, text.data(), text.size()); }
  // Types a line, and looks from there on.
  void enter(const std::string& line) {
    seen_.clear();
    type(line + "\n");
    (void)wait_for("\n");
    seen_.erase(0, seen_.find('\n') + 1);  // its echo; what follows it is an answer
  }
  // Waits until the text has appeared since the last enter() or forget().
  bool wait_for(const std::string& text) {
    const auto deadline = Clock::now() + patience;
    while (seen_.find(text) == std::string::npos && Clock::now() < deadline) {
      pollfd waits{fd_, POLLIN, 0};
      char buffer[4096];
      const ssize_t got = poll(&waits, 1, 100) > 0 ? read(fd_, buffer, sizeof buffer) : 0;
      if (got < 0) {
        break;
      }
      seen_.append(buffer, static_cast<size_t>(got));
    }
    const bool found = seen_.find(text) != std::string::npos;
    if (!found) {
      print_error("no \"%s\" on the screen:\n%s\n", text.c_str(), seen_.c_str());
    }
    return found;
  }
  void forget() { seen_.clear(); }
  [[nodiscard]] const std::string& seen() const { return seen_; }

 private:
  pid_t pid_ = -1;
  int fd_ = -1;
  std::string seen_;
};

struct Fixture {
  Daemon daemon{config};
  Screen screen;
  TempDir dir;

  bool begin() { return daemon.start() && screen.begin(); }
  bool finish() { return daemon.stop(); }

  // The start of a command line that runs it.
  [[nodiscard]] std::string distributex(const std::string& more = "") const {
    return std::string(getenv("DISTRIBUTEX")) + " -H 127.0.0.1:" + std::to_string(daemon.port()) +
           " -r one " + more + " ";
  }
};

void a_command_reads_from_the_terminal(void** state) {
  auto& f = fixture_of<Fixture>(state);
  f.screen.enter(f.distributex() + "'echo ask; read x; echo got-$x'");
  assert_true(f.screen.wait_for("ask"));
  f.screen.type("answer\n");
  assert_true(f.screen.wait_for("got-answer"));
  assert_true(f.screen.wait_for("prompt> "));
  f.screen.enter("echo code-$?");
  assert_true(f.screen.wait_for("code-0"));
}

void ctrl_c_ends_the_command_and_gives_the_lock_back(void** state) {
  auto& f = fixture_of<Fixture>(state);
  f.screen.enter(f.distributex() + "'echo ready; exec sleep 1000'");
  assert_true(f.screen.wait_for("ready"));
  f.screen.type("\x03");
  assert_true(f.screen.wait_for("prompt> "));
  f.screen.enter("echo code-$?");
  assert_true(f.screen.wait_for("code-130"));
  assert_true(wait_for_holders(f.daemon.port(), "one", 0));
}

void ctrl_c_while_waiting_leaves_the_line(void** state) {
  auto& f = fixture_of<Fixture>(state);
  assert_text(word(f.daemon.port(), "/get/?pool=one&host=other"), "YES");
  f.screen.enter(f.distributex() + "'echo ran'");
  assert_true(wait_for_waiting(f.daemon.port(), "one", 1));
  f.screen.type("\x03");
  assert_true(f.screen.wait_for("prompt> "));
  f.screen.enter("echo code-$?");
  assert_true(f.screen.wait_for("code-130"));
  assert_int_equal(pool_state(f.daemon.port(), "one").waiting.size(), 0);
}

// Suspended for longer than its lease, with the lock kept, and resumed to go on reading.
void a_suspended_command_keeps_its_lock_and_is_resumed(void** state) {
  auto& f = fixture_of<Fixture>(state);
  f.screen.enter(f.distributex("--lease " + std::to_string(slowness)) +
                 "'echo ready; read x; echo got-$x; read y; echo got-$y'");
  assert_true(f.screen.wait_for("ready"));
  f.screen.type("one\n");
  assert_true(f.screen.wait_for("got-one"));
  f.screen.type("\x1a");
  assert_true(f.screen.wait_for("Stopped"));
  const auto token = pool_state(f.daemon.port(), "one").holders.at(0).token;
  const auto stopped = Clock::now();
  assert_true(eventually([&] { return Clock::now() - stopped > slowness * milliseconds(2200); }));
  const PoolState pool = pool_state(f.daemon.port(), "one");
  assert_int_equal(pool.holders.size(), 1);
  assert_int_equal(pool.holders.front().token, token);
  f.screen.enter("fg");
  f.screen.type("two\n");
  assert_true(f.screen.wait_for("got-two"));
  assert_true(f.screen.wait_for("prompt> "));
  f.screen.enter("echo code-$?");
  assert_true(f.screen.wait_for("code-0"));
}

// An editor: takes the terminal into raw mode, is suspended, resumed, and writes its file.
void vi_can_be_suspended_and_resumed(void** state) {
  auto& f = fixture_of<Fixture>(state);
  if (access("/usr/bin/vi", X_OK) != 0) {
    skip();
  }
  const std::string file = f.dir.file("text");
  write_file(file, "first line\n");
  f.screen.enter("export TERM=vt100");
  f.screen.enter(f.distributex() + "'vi -u NONE -n " + file + "'");
  assert_true(f.screen.wait_for("first line"));
  f.screen.type("\x1a");
  assert_true(f.screen.wait_for("Stopped"));
  f.screen.forget();
  f.screen.type("fg\n");
  assert_true(f.screen.wait_for("first line"));
  f.screen.type("osecond line\x1b:wq\n");
  assert_true(f.screen.wait_for("prompt> "));
  assert_true(eventually([&] { return read_whole_file(file) == "first line\nsecond line\n"; }));
}

void a_background_command_that_reads_is_stopped_until_fg(void** state) {
  auto& f = fixture_of<Fixture>(state);
  f.screen.enter(f.distributex() + "'echo ask; read x; echo got-$x' &");
  assert_true(wait_for_holders(f.daemon.port(), "one", 1));
  assert_true(f.screen.wait_for("ask"));
  // The shell reports a stop before its next prompt.
  assert_true(eventually([&] {
    f.screen.enter("jobs");
    (void)f.screen.wait_for("prompt> ");
    return f.screen.seen().find("Stopped") != std::string::npos;
  }));
  f.screen.enter("fg");
  f.screen.type("answer\n");
  assert_true(f.screen.wait_for("got-answer"));
}

// When stdout is a pipe, the pipeline keeps the terminal until the command reads from it.
void in_a_pipeline_the_terminal_is_handed_over_on_demand(void** state) {
  auto& f = fixture_of<Fixture>(state);
  f.screen.enter(f.distributex() + "'echo ask; read x </dev/tty; echo got-$x' | cat");
  assert_true(f.screen.wait_for("ask"));
  f.screen.type("answer\n");
  assert_true(f.screen.wait_for("got-answer"));
  assert_true(f.screen.wait_for("prompt> "));
  f.screen.enter(f.distributex() + "'echo ready; exec sleep 1000' | cat");
  assert_true(f.screen.wait_for("ready"));
  f.screen.type("\x03");
  assert_true(f.screen.wait_for("prompt> "));
  assert_true(wait_for_holders(f.daemon.port(), "one", 0));
}

// The command must not be a shell that starts programs all the time: while its child is
// stopped between vfork and exec, the shell cannot be stopped itself.
void ctrl_z_stops_a_pipeline_and_fg_resumes_it(void** state) {
  auto& f = fixture_of<Fixture>(state);
  const std::string go = f.dir.file("go");
  assert_int_equal(mkfifo(go.c_str(), 0600), 0);
  f.screen.enter(f.distributex() + "'echo ready; read x <" + go + "; echo over' | cat");
  assert_true(f.screen.wait_for("ready"));
  f.screen.type("\x1a");
  assert_true(f.screen.wait_for("Stopped"));
  f.screen.enter("fg");
  assert_true(eventually([&] {
    const Fd writer(open(go.c_str(), O_WRONLY | O_NONBLOCK | O_CLOEXEC));
    return writer && write(writer.get(), "x\n", 2) == 2;
  }));
  assert_true(f.screen.wait_for("over\r\n"));
  assert_true(f.screen.wait_for("prompt> "));
}

// Ctrl-C must end the whole script, not the command alone.
void ctrl_c_ends_the_script_around_it(void** state) {
  auto& f = fixture_of<Fixture>(state);
  const std::string script = f.dir.file("script");
  write_file(script, f.distributex() + "'echo ready; exec sleep 1000'\necho after\n");
  f.screen.enter("bash " + script);
  assert_true(f.screen.wait_for("ready"));
  f.screen.type("\x03");
  assert_true(f.screen.wait_for("prompt> "));
  assert_true(f.screen.seen().find("after") == std::string::npos);
}

void ctrl_c_while_waiting_ends_the_script_around_it(void** state) {
  auto& f = fixture_of<Fixture>(state);
  assert_text(word(f.daemon.port(), "/get/?pool=one&host=other"), "YES");
  const std::string script = f.dir.file("script");
  write_file(script, f.distributex() + "'echo ran'\necho after\n");
  f.screen.enter("bash " + script);
  assert_true(wait_for_waiting(f.daemon.port(), "one", 1));
  f.screen.type("\x03");
  assert_true(f.screen.wait_for("prompt> "));
  assert_true(f.screen.seen().find("after") == std::string::npos);
}

void ctrl_z_suspends_the_script_around_it(void** state) {
  auto& f = fixture_of<Fixture>(state);
  const std::string script = f.dir.file("script");
  write_file(script, f.distributex() + "'echo ready; read x; echo got-$x'\necho after\n");
  f.screen.enter("bash " + script);
  assert_true(f.screen.wait_for("ready"));
  f.screen.type("\x1a");
  assert_true(f.screen.wait_for("Stopped"));
  f.screen.enter("fg");
  f.screen.type("answer\n");
  assert_true(f.screen.wait_for("got-answer"));
  assert_true(f.screen.wait_for("after"));
}

// An interactive shell makes what runs in $( ) ignore SIGTTIN. The client resets that, so that the
// command stops when it reads from the terminal, and then hands the terminal over.
void in_a_command_substitution_the_terminal_is_handed_over(void** state) {
  auto& f = fixture_of<Fixture>(state);
  f.screen.enter("x=$(" + f.distributex() +
                 "'echo ask >/dev/tty; read a </dev/tty; echo got-$a'); echo x-$x");
  assert_true(f.screen.wait_for("ask"));
  f.screen.type("answer\n");
  assert_true(f.screen.wait_for("x-got-answer"));
  assert_true(f.screen.wait_for("prompt> "));
  f.screen.enter("echo code-$?");
  assert_true(f.screen.wait_for("code-0"));
}

// The shell leaves a loop when the program in it was ended by Ctrl-C's signal.
void ctrl_c_ends_a_loop_around_it(void** state) {
  auto& f = fixture_of<Fixture>(state);
  f.screen.enter("for i in 1 2; do " + f.distributex() +
                 "'echo ready; exec sleep 1000'; done; echo aft\"er\"");
  assert_true(f.screen.wait_for("ready"));
  f.screen.forget();
  f.screen.type("\x03");
  assert_true(f.screen.wait_for("prompt> "));
  assert_true(f.screen.seen().find("ready") == std::string::npos);
}

}  // namespace
}  // namespace distributex::test

int main() {
  using namespace distributex::test;
  const CMUnitTest tests[] = {
      test_with(Fixture, a_command_reads_from_the_terminal),
      test_with(Fixture, ctrl_c_ends_the_command_and_gives_the_lock_back),
      test_with(Fixture, ctrl_c_while_waiting_leaves_the_line),
      test_with(Fixture, a_suspended_command_keeps_its_lock_and_is_resumed),
      test_with(Fixture, vi_can_be_suspended_and_resumed),
      test_with(Fixture, a_background_command_that_reads_is_stopped_until_fg),
      test_with(Fixture, in_a_pipeline_the_terminal_is_handed_over_on_demand),
      test_with(Fixture, ctrl_z_stops_a_pipeline_and_fg_resumes_it),
      test_with(Fixture, ctrl_c_ends_the_script_around_it),
      test_with(Fixture, ctrl_c_while_waiting_ends_the_script_around_it),
      test_with(Fixture, ctrl_z_suspends_the_script_around_it),
      test_with(Fixture, in_a_command_substitution_the_terminal_is_handed_over),
      test_with(Fixture, ctrl_c_ends_a_loop_around_it),
  };
  return run_beside(tests);
}
