// SPDX-License-Identifier: MIT
// distributex against the real daemon: exit codes, both forms of a command,
// what the command gets and what it does not, and how little is said.
#include <fcntl.h>
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
  - name: "odd pool/&"
  - name: acme
    servers: acme1, acme2
)";

struct Fixture {
  Daemon daemon{config};
  TempDir dir;

  bool begin() { return daemon.start(); }
  bool finish() { return daemon.stop(); }

  [[nodiscard]] Ended run(const std::vector<std::string>& more,
                          std::string_view pool = "one") const {
    return run_client(on(daemon.port(), pool, more));
  }
};

void the_exit_code_is_the_commands(void** state) {
  auto& f = fixture_of<Fixture>(state);
  assert_int_equal(f.run({"true"}).code, 0);
  assert_int_equal(f.run({"exit 7"}).code, 7);
  assert_int_equal(f.run({"--", "/bin/sh", "-c", "exit 255"}).code, 255);
}

void a_killed_command_is_128_and_its_signal(void** state) {
  auto& f = fixture_of<Fixture>(state);
  assert_int_equal(f.run({"kill -9 $$"}).code, 137);
  assert_int_equal(f.run({"kill -TERM $$"}).code, 143);
}

void a_command_that_cannot_be_run_is_126_or_127_and_says_why(void** state) {
  auto& f = fixture_of<Fixture>(state);
  const Ended missing = f.run({"--", "/nowhere/no such program"});
  assert_int_equal(missing.code, 127);
  assert_text(missing.err,
              "distributex: cannot run /nowhere/no such program: No such file or directory\n");
  assert_int_equal(f.run({"--", "no-such-program-in-path"}).code, 127);
  const Ended forbidden = f.run({"--", "/etc/passwd"});
  assert_int_equal(forbidden.code, 126);
  assert_text(forbidden.err, "distributex: cannot run /etc/passwd: Permission denied\n");
  assert_int_equal(f.run({"/nowhere/no-such-program"}).code, 127);
  assert_true(wait_for_holders(f.daemon.port(), "one", 0));
}

void wrong_usage_is_64_in_one_line(void** state) {
  auto& f = fixture_of<Fixture>(state);
  const std::vector<std::vector<std::string>> wrong = {{},
                                                       {"-w", "soon", "true"},
                                                       {"two", "words"},
                                                       {"--no-such-option", "true"},
                                                       {"-E", "256", "true"},
                                                       {"--lease", "0", "true"},
                                                       {"-n"},
                                                       {"--json", "true"}};
  for (const auto& more : wrong) {
    const Ended ended = f.run(more);
    assert_int_equal(ended.code, 64);
    assert_int_equal(lines_in(ended.err), 1);
  }
  assert_int_equal(run_client({"-r", "one", "true"}).code, 64);
  assert_int_equal(run_client({"-H", "localhost", "true"}).code, 64);
}

void a_server_that_refuses_is_69_with_its_reason(void** state) {
  auto& f = fixture_of<Fixture>(state);
  const std::string mark = f.dir.file("ran");
  const Ended unknown = f.run({"touch " + mark}, "no such pool");
  assert_int_equal(unknown.code, 69);
  assert_int_equal(lines_in(unknown.err), 1);
  assert_non_null(strstr(unknown.err.c_str(), "no such pool"));
  assert_int_equal(f.run({"touch " + mark}, "acme").code, 69);
  assert_int_equal(access(mark.c_str(), F_OK), -1);
}

void a_server_out_of_reach_is_69_and_nothing_is_run(void** state) {
  auto& f = fixture_of<Fixture>(state);
  const std::string mark = f.dir.file("ran");
  f.daemon.kill_now();
  for (const std::vector<std::string>& more : {std::vector<std::string>{"touch " + mark},
                                               {"-n", "touch " + mark},
                                               {"-w", "0.3", "touch " + mark}}) {
    const Ended ended = f.run(more);
    assert_int_equal(ended.code, 69);
    assert_int_equal(lines_in(ended.err), 1);
  }
  assert_int_equal(access(mark.c_str(), F_OK), -1);
}

void a_lock_that_is_taken_is_75_or_what_e_says(void** state) {
  auto& f = fixture_of<Fixture>(state);
  const std::string mark = f.dir.file("ran");
  assert_text(word(f.daemon.port(), "/get/?pool=one&host=other"), "YES");
  const Ended busy = f.run({"-n", "touch " + mark});
  assert_int_equal(busy.code, 75);
  assert_int_equal(lines_in(busy.err), 1);
  const Ended late = f.run({"-w", "0.3", "touch " + mark});
  assert_int_equal(late.code, 75);
  assert_int_equal(lines_in(late.err), 1);
  assert_int_equal(f.run({"-n", "-E", "9", "touch " + mark}).code, 9);
  const Ended calm = f.run({"-n", "-E", "0", "touch " + mark});
  assert_int_equal(calm.code, 0);
  assert_text(calm.err, "");
  assert_text(f.run({"-n", "-q", "touch " + mark}).err, "");
  assert_int_equal(access(mark.c_str(), F_OK), -1);
  assert_int_equal(pool_state(f.daemon.port(), "one").waiting.size(), 0);
}

void spaces_and_quotes_reach_the_command_untouched(void** state) {
  auto& f = fixture_of<Fixture>(state);
  assert_text(f.run({"--", "printf", "[%s]", "a b", "it's \"x\"", "", "$HOME", "*"}).out,
              "[a b][it's \"x\"][][$HOME][*]");
  assert_text(f.run({"printf '[%s]' \"a  b\" 'it'\\''s' \"$((1 + 1))\" | tr a A"}).out,
              "[A  b][it's][2]");
  assert_text(f.run({"-r", "odd pool/&", "echo \"$DISTRIBUTEX_POOL\""}).out, "odd pool/&\n");
  assert_int_equal(f.run({"--", "-x"}).code, 127);
}

void the_command_knows_pool_host_id_and_token(void** state) {
  auto& f = fixture_of<Fixture>(state);
  const std::string url = "http://127.0.0.1:" + std::to_string(f.daemon.port()) + "/status/";
  Client client(
      on(f.daemon.port(), "one",
         {"echo \"$DISTRIBUTEX_POOL $DISTRIBUTEX_HOST $DISTRIBUTEX_ID $DISTRIBUTEX_TOKEN\"; "
          "echo; exec sleep 1000"}));
  assert_true(eventually([&] { return lines_in(client.out()) == 2; }));
  const PoolState pool = pool_state(f.daemon.port(), "one");
  assert_int_equal(pool.holders.size(), 1);
  const HolderState& holder = pool.holders.front();
  assert_text(client.out(),
              "one " + holder.host + " " + holder.id + " " + std::to_string(holder.token) + "\n\n");
  client.send(SIGTERM);
  assert_int_equal(client.finish().code, died_by + SIGTERM);
}

void an_id_can_be_given(void** state) {
  auto& f = fixture_of<Fixture>(state);
  assert_text(f.run({"-i", "nightly run", "echo \"$DISTRIBUTEX_ID\""}).out, "nightly run\n");
}

void success_is_silent_and_works_with_crons_environment(void** state) {
  auto& f = fixture_of<Fixture>(state);
  Client::Setup cron;
  cron.environment = {"PATH=/usr/bin:/bin"};
  cron.in_child = [] { (void)setsid(); };
  Client client(on(f.daemon.port(), "one", {"printf x"}), cron);
  const Ended ended = client.finish();
  assert_int_equal(ended.code, 0);
  assert_text(ended.out, "x");
  assert_text(ended.err, "");
  cron.environment = std::vector<std::string>();
  Client bare(on(f.daemon.port(), "one", {"--", "true"}), cron);
  assert_int_equal(bare.finish().code, 0);
}

void stdin_reaches_the_command_and_closed_stays_closed(void** state) {
  auto& f = fixture_of<Fixture>(state);
  const std::string path = f.dir.file("input");
  write_file(path, "to be read\n");
  Client::Setup setup;
  setup.in_child = [&path] { dup2(open(path.c_str(), O_RDONLY | O_CLOEXEC), 0); };
  Client reading(on(f.daemon.port(), "one", {"--", "cat"}), setup);
  assert_text(reading.finish().out, "to be read\n");
  setup.in_child = [] { close(0); };
  Client closed(on(f.daemon.port(), "one", {"test -e /proc/self/fd/0 || echo closed"}), setup);
  assert_text(closed.finish().out, "closed\n");
}

void no_zombie_is_left_and_the_lock_is_free(void** state) {
  auto& f = fixture_of<Fixture>(state);
  const Ended ended = f.run({"(sleep 0.01 & sleep 0.02 &) ; (true &) ; true"});
  assert_int_equal(ended.code, 0);
  assert_int_equal(pool_state(f.daemon.port(), "one").holders.size(), 0);
  for (const pid_t child : children_of(getpid())) {
    assert_int_equal(child, f.daemon.pid());
  }
}

void verbose_tells_who_holds_the_lock(void** state) {
  auto& f = fixture_of<Fixture>(state);
  assert_text(word(f.daemon.port(), "/get/?pool=one&host=the-holder&id=7"), "YES");
  Client client(on(f.daemon.port(), "one", {"-v", "true"}));
  assert_true(eventually(
      [&] { return client.err().find("held by the-holder (id 7)") != std::string::npos; }));
  assert_text(word(f.daemon.port(), "/release/?pool=one&host=the-holder&id=7"), "OK");
  assert_int_equal(client.finish().code, 0);
}

void two_runs_on_one_host_exclude_each_other(void** state) {
  auto& f = fixture_of<Fixture>(state);
  Client first(on(f.daemon.port(), "one", {"--", "sleep", "1000"}));
  assert_true(wait_for_holders(f.daemon.port(), "one", 1));
  assert_int_equal(f.run({"-n", "true"}).code, 75);
  first.send(SIGTERM);
  assert_int_equal(first.finish().code, died_by + SIGTERM);
  assert_int_equal(f.run({"-n", "true"}).code, 0);
}

void an_output_that_cannot_be_written_is_1_and_blames_no_server(void** state) {
  auto& f = fixture_of<Fixture>(state);
  const std::string address = "127.0.0.1:" + std::to_string(f.daemon.port());
  Client::Setup full;
  full.in_child = [] { dup2(open("/dev/full", O_WRONLY | O_CLOEXEC), 1); };
  Client::Setup closed;
  closed.in_child = [] { close(1); };
  for (const std::vector<std::string>& args : {std::vector<std::string>{"-H", address, "--status"},
                                               {"-H", address, "--status", "--json"},
                                               {"--help"},
                                               {"--version"}}) {
    Client client(args, full);
    const Ended ended = client.finish();
    assert_int_equal(ended.code, 1);
    assert_text(ended.err,
                "distributex: cannot write to the standard output: No space left on device\n");
    Client other(args, closed);
    const Ended lost = other.finish();
    assert_int_equal(lost.code, 1);
    assert_text(lost.err,
                "distributex: cannot write to the standard output: Bad file descriptor\n");
  }
}

// Descriptors 0, 1 and 2 that are closed at the start are closed in the command, too: the client
// opens nothing in their place.
void closed_standard_descriptors_are_no_trouble(void** state) {
  auto& f = fixture_of<Fixture>(state);
  for (int closed = 0; closed < 8; ++closed) {
    const std::string seen = f.dir.file("seen" + std::to_string(closed));
    Client::Setup setup;
    setup.in_child = [closed] {
      for (int fd = 0; fd < 3; ++fd) {
        if ((closed >> fd & 1) != 0) {
          close(fd);
        }
      }
    };
    Client client(
        on(f.daemon.port(), "one",
           {"for fd in 0 1 2; do [ -e /proc/$$/fd/$fd ] || x=$x$fd; done; printf '%s' \"$x\" >" +
            seen}),
        setup);
    assert_int_equal(client.finish().code, 0);
    std::string expected;
    for (int fd = 0; fd < 3; ++fd) {
      if ((closed >> fd & 1) != 0) {
        expected += static_cast<char>('0' + fd);
      }
    }
    assert_text(read_whole_file(seen), expected);
  }
}

void help_and_version_go_to_stdout(void**) {
  const Ended help = run_client({"--help"});
  assert_int_equal(help.code, 0);
  assert_text(help.err, "");
  assert_non_null(strstr(help.out.c_str(), "  -H, --server=HOST"));
  const Ended version = run_client({"-V"});
  assert_int_equal(version.code, 0);
  assert_true(version.out.starts_with("distributex "));
}

}  // namespace
}  // namespace distributex::test

int main() {
  using namespace distributex::test;
  const CMUnitTest tests[] = {
      test_with(Fixture, the_exit_code_is_the_commands),
      test_with(Fixture, a_killed_command_is_128_and_its_signal),
      test_with(Fixture, a_command_that_cannot_be_run_is_126_or_127_and_says_why),
      test_with(Fixture, wrong_usage_is_64_in_one_line),
      test_with(Fixture, a_server_that_refuses_is_69_with_its_reason),
      test_with(Fixture, a_server_out_of_reach_is_69_and_nothing_is_run),
      test_with(Fixture, a_lock_that_is_taken_is_75_or_what_e_says),
      test_with(Fixture, spaces_and_quotes_reach_the_command_untouched),
      test_with(Fixture, the_command_knows_pool_host_id_and_token),
      test_with(Fixture, an_id_can_be_given),
      test_with(Fixture, success_is_silent_and_works_with_crons_environment),
      test_with(Fixture, stdin_reaches_the_command_and_closed_stays_closed),
      test_with(Fixture, no_zombie_is_left_and_the_lock_is_free),
      test_with(Fixture, verbose_tells_who_holds_the_lock),
      test_with(Fixture, two_runs_on_one_host_exclude_each_other),
      test_with(Fixture, an_output_that_cannot_be_written_is_1_and_blames_no_server),
      test_with(Fixture, closed_standard_descriptors_are_no_trouble),
      cmocka_unit_test(help_and_version_go_to_stdout),
  };
  return run_beside(tests);
}
