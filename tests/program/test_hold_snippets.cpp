// SPDX-License-Identifier: MIT
// The programs that doc/hold.txt shows, run as they stand there: each takes the lock, has
// the lock, and its end frees the lock.
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "support/daemon.h"
#include "support/http.h"
#include "support/status.h"
#include "support/test.h"

namespace distributex::test {
namespace {

struct Fixture {
  Daemon daemon{"pools:\n  - name: deploy\n"};
  pid_t pid = -1;

  bool begin() { return daemon.start(); }
  bool finish() {
    if (pid > 0) {
      (void)kill(-pid, SIGKILL);
      (void)waitpid(pid, nullptr, 0);
    }
    return daemon.stop();
  }
};

// The indented lines behind that heading, with the test's address, and `body` for the dots.
std::string snippet(Fixture& f, std::string_view heading, std::string_view body) {
  const char* top = getenv("TOP");
  const std::string page = read_whole_file(std::string(top ? top : ".") + "/doc/hold.txt");
  size_t at = page.find(heading);
  assert_true(at != std::string::npos);
  at = page.find("\n\n", at) + 2;
  std::string text;
  while (page.compare(at, 4, "    ") == 0) {
    const size_t end = page.find('\n', at);
    std::string line = page.substr(at + 4, end - at - 4);
    if (line.starts_with("...")) {
      line = body;
    }
    const std::string server = "locks:9889";
    if (const size_t where = line.find(server); where != line.npos) {
      line.replace(where, server.size(), "127.0.0.1:" + std::to_string(f.daemon.port()));
    }
    text += line + "\n";
    at = end + 1;
  }
  return text;
}

bool has_program(const char* name) {
  return system((std::string("command -v ") + name + " >/dev/null 2>&1").c_str()) == 0;
}

void start(Fixture& f, const char* program, const std::string& file) {
  f.pid = fork();
  if (f.pid == 0) {
    setpgid(0, 0);
    execlp(program, program, file.c_str(), nullptr);
    _exit(127);
  }
  (void)setpgid(f.pid, f.pid);
}

int wait_for_end(Fixture& f) {
  int status = 0;
  (void)waitpid(f.pid, &status, 0);
  f.pid = -1;
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

struct Language {
  const char* program;
  const char* heading;
  const char* waits;  // code that waits until somebody writes to a fifo
  const char* ends;   // code that waits for the process that the snippet ended
  const char* file;
};

constexpr Language languages[] = {
    {"bash", "In a shell", "read -r _ <\"$0.go\"", "wait\n", "hold.sh"},
    {"python3", "In Python", "import sys\nopen(sys.argv[0] + '.go').read()", "", "hold.py"},
};

// For each language that is installed, calls body with the language, the program and its file.
template <typename Body>
void in_each_language(Fixture& f, Body body) {
  for (const Language& language : languages) {
    if (!has_program(language.program) || !has_program("curl")) {
      print_message("skipped: there is no %s\n", language.program);
      continue;
    }
    const std::string file = f.daemon.dir().file(language.file);
    body(language, snippet(f, language.heading, language.waits), file);
  }
}

// Runs the program up to the place where it has the lock, and lets it wait there.
void run_to_the_lock(Fixture& f, const Language& language, const std::string& text,
                     const std::string& file) {
  unlink((file + ".go").c_str());
  assert_int_equal(mkfifo((file + ".go").c_str(), 0600), 0);
  write_file(file, text);
  start(f, language.program, file);
  assert_true(wait_for_holders(f.daemon.port(), "deploy", 1));
}

void takes_the_lock_and_frees_it(void** state) {
  Fixture& f = fixture_of<Fixture>(state);
  in_each_language(f,
                   [&](const Language& language, const std::string& text, const std::string& file) {
                     run_to_the_lock(f, language, text + language.ends, file);
                     const pid_t group = f.pid;
                     write_file(file + ".go", "\n");
                     const int end = wait_for_end(f);
                     assert_that(end == 0, "%s ended with %d", language.program, end);
                     // No process is left that would keep the connection until the next sign of
                     // life.
                     assert_int_equal(kill(-group, 0), -1);
                     assert_true(wait_for_holders(f.daemon.port(), "deploy", 0));
                   });
}

void dies_and_frees_the_lock(void** state) {
  Fixture& f = fixture_of<Fixture>(state);
  in_each_language(f,
                   [&](const Language& language, const std::string& text, const std::string& file) {
                     run_to_the_lock(f, language, text, file);
                     assert_int_equal(kill(-f.pid, SIGKILL), 0);
                     assert_int_equal(wait_for_end(f), 128 + SIGKILL);
                     assert_true(wait_for_holders(f.daemon.port(), "deploy", 0));
                   });
}

void goes_without_where_the_lock_is_not_to_be_had(void** state) {
  Fixture& f = fixture_of<Fixture>(state);
  assert_text(word(f.daemon.port(), "/get?pool=deploy&host=other"), "YES");
  in_each_language(f, [&](const Language& language, std::string text, const std::string& file) {
    const std::string pool = "pool=deploy";
    text.replace(text.find(pool), pool.size(), pool + "&timeout=0");
    write_file(file, text);
    start(f, language.program, file);
    assert_int_equal(wait_for_end(f), 75);
  });
}

void go_program_takes_the_lock(void** state) {
  Fixture& f = fixture_of<Fixture>(state);
  if (!has_program("go")) {
    print_message("skipped: there is no go\n");
    skip();
  }
  const std::string file = f.daemon.dir().file("hold.go");
  write_file(file,
             "package main\nimport (\"bufio\"; \"log\"; \"net/http\"; \"time\")\nfunc main() {\n" +
                 snippet(f, "In Go", "") + "time.Sleep(time.Hour)\n}\n");
  f.pid = fork();
  if (f.pid == 0) {
    setpgid(0, 0);
    execlp("go", "go", "run", file.c_str(), nullptr);
    _exit(127);
  }
  (void)setpgid(f.pid, f.pid);
  assert_true(eventually([&] { return holders_of(f.daemon.port(), "deploy") == "web7"; },
                         std::chrono::minutes{2}));
  assert_int_equal(kill(-f.pid, SIGKILL), 0);
  assert_true(wait_for_holders(f.daemon.port(), "deploy", 0));
}

}  // namespace
}  // namespace distributex::test

int main() {
  using namespace distributex::test;
  const CMUnitTest tests[] = {
      test_with(Fixture, takes_the_lock_and_frees_it),
      test_with(Fixture, dies_and_frees_the_lock),
      test_with(Fixture, goes_without_where_the_lock_is_not_to_be_had),
      test_with(Fixture, go_program_takes_the_lock),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
