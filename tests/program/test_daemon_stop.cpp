// SPDX-License-Identifier: MIT
// How the daemon ends: every waiter has its answer before it exits, a client
// that does not read cannot keep it, a second signal ends it at once. And how
// it goes to the background, with a pid file, and ends there.
#include <linux/capability.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sysexits.h>
#include <unistd.h>

#include <filesystem>

#include "support/daemon.h"
#include "support/http.h"
#include "support/memcached.h"
#include "support/status.h"
#include "support/test.h"

namespace distributex::test {
namespace {

constexpr std::string_view pools = R"(pools:
  - name: one
  - name: two
)";

struct Fixture {
  Daemon daemon{pools};

  bool begin() { return daemon.start() && word(daemon.port(), "/get?pool=one&host=h") == "YES"; }
  bool finish() { return daemon.stop(); }
  uint16_t port() const { return daemon.port(); }

  Connection park(const std::string& host, size_t place) {
    Connection waiter(port());
    assert_true(waiter.send(get_request("/wait?pool=one&host=" + host)));
    assert_true(wait_for_waiting(port(), "one", place));
    return waiter;
  }

  // A client that asks for much and reads nothing: an orderly end has to wait until the client
  // has taken its answers, or its time is over.
  Connection greedy() {
    Connection client(port());
    assert_true(stuff(client, get_request("/status/")));
    return client;
  }
};

void check_unavailable(const std::optional<Response>& response) {
  assert_true(response.has_value());
  assert_int_equal(response->status, 503);
  assert_text(response->body, "NO");
  assert_text(response->header("Distributex-Result"), "unavailable");
  assert_int_equal(response->count("Distributex-Error"), 1);
  assert_true(atoi(response->header("Retry-After").c_str()) > 0);
  assert_text(response->header("Connection"), "close");
}

void answers_every_waiter_before_it_exits(void** state) {
  Fixture& f = fixture_of<Fixture>(state);
  for (const int signal : {SIGTERM, SIGINT}) {
    std::vector<Connection> parked;
    for (int i = 0; i < 200; ++i) {
      parked.emplace_back(f.port());
      assert_true(parked.back().send(get_request("/wait?pool=one&host=w" + std::to_string(i / 2))));
    }
    assert_true(wait_for_waiting(f.port(), "one", parked.size()));
    f.daemon.send_signal(signal);
    for (Connection& waiter : parked) {
      check_unavailable(waiter.response());
      assert_int_equal(waiter.wait_end(), End::eof);
    }
    assert_int_equal(f.daemon.wait_exit().value_or(-1), 0);
    assert_true(f.daemon.restart());
    assert_text(word(f.port(), "/get?pool=one&host=h"), "YES");
  }
}

void answers_a_waiter_in_json_too(void** state) {
  Fixture& f = fixture_of<Fixture>(state);
  Connection waiter(f.port());
  assert_true(waiter.send(get_request("/wait?pool=one&host=a", "Accept: application/json\r\n")));
  assert_true(wait_for_waiting(f.port(), "one", 1));
  f.daemon.send_signal(SIGTERM);
  const Response response = waiter.response().value_or(Response{});
  assert_int_equal(response.status, 503);
  assert_text(json_text(parse_json(response.body).get(), "result"), "unavailable");
  assert_int_equal(f.daemon.wait_exit().value_or(-1), 0);
}

struct Remote {
  Memcached memcached{};
  std::unique_ptr<Daemon> daemon;

  bool begin() {
    if (!memcached.start()) {
      return false;
    }
    daemon = std::make_unique<Daemon>("backend: memcache\nmemcachehost: \"" + memcached.address() +
                                      "\"\nmemcachetimeout: 1000\npools:\n  - name: one\n");
    return daemon->start() && word(daemon->port(), "/get?pool=one&host=h") == "YES";
  }
  bool finish() { return daemon->stop(); }
};

// Returns whether the page was still in flight when the daemon began to stop: the page is in
// flight for a second and a half, and a busy machine may take longer than that.
bool stops_under(Remote& f, const char* path) {
  f.memcached.stop();
  Connection reader(f.daemon->port());
  assert_true(reader.send(get_request(path)));
  assert_text(word(f.daemon->port(), "/livez"), "ok\n");  // by now it has been read
  f.daemon->forget_log();
  f.daemon->send_signal(SIGTERM);
  assert_true(f.daemon->wait_for_log("stopping").has_value());
  const bool was_in_flight = reader.quiet();
  const std::optional<Response> page = reader.response();
  assert_that(page.has_value(), "%s: no answer", path);
  assert_int_equal(page->status, 200);
  if (was_in_flight) {
    assert_text(page->header("Connection"), "close");
  }
  assert_int_equal(f.daemon->wait_exit().value_or(-1), 0);
  f.memcached.go_on();
  assert_true(f.daemon->restart());
  return was_in_flight;
}

// A page that shows leases asks memcached, which is stopped and does not answer.
void answers_pages_in_flight_before_it_exits(void** state) {
  Remote& f = fixture_of<Remote>(state);
  for (const char* path : {"/status/", "/metrics"}) {
    bool was_in_flight = false;
    for (int tries = 0; tries < 5 && !was_in_flight; ++tries) {
      was_in_flight = stops_under(f, path);
    }
    assert_true(was_in_flight);
  }
}

void answers_who_had_connected_before_the_signal(void** state) {
  Fixture& f = fixture_of<Fixture>(state);
  f.daemon.send_signal(SIGSTOP);
  Connection late(f.port());
  assert_true(late.send(get_request("/wait?pool=one&host=late")));
  f.daemon.send_signal(SIGTERM);
  f.daemon.send_signal(SIGCONT);
  check_unavailable(late.response());
  assert_int_equal(f.daemon.wait_exit().value_or(-1), 0);
}

void does_not_wait_for_idle_connections(void** state) {
  Fixture& f = fixture_of<Fixture>(state);
  Connection idle(f.port());
  Connection kept(f.port());
  Connection half(f.port());
  assert_text(word(kept, "/livez"), "ok\n");
  assert_true(half.send("GET /li"));
  f.daemon.send_signal(SIGTERM);
  const Clock::time_point start = Clock::now();
  assert_int_equal(f.daemon.wait_exit().value_or(-1), 0);
  assert_true(Clock::now() - start < std::chrono::seconds{4});
  assert_true(idle.wait_end() != End::none);
}

void refuses_locks_and_readiness_while_it_ends(void** state) {
  Fixture& f = fixture_of<Fixture>(state);
  Connection probe(f.port());
  Connection late(f.port());
  assert_text(word(probe, "/readyz"), "ok\n");
  assert_text(word(late, "/livez"), "ok\n");
  Connection parked = f.park("a", 1);
  Connection greedy = f.greedy();
  f.daemon.send_signal(SIGTERM);
  check_unavailable(parked.response());
  const Response response = fetch(probe, "/readyz");
  assert_int_equal(response.status, 503);
  assert_true(response.body.size() > 5 && response.body.find('\n') == response.body.size() - 1);
  assert_text(response.header("Connection"), "close");
  assert_int_equal(probe.wait_end(), End::eof);
  check_unavailable(fetch(late, "/get?pool=two&host=late"));
  greedy.reset();
  assert_int_equal(f.daemon.wait_exit().value_or(-1), 0);
}

void ends_though_a_client_never_reads(void** state) {
  Fixture& f = fixture_of<Fixture>(state);
  Connection greedy = f.greedy();
  Connection parked = f.park("a", 1);
  f.daemon.send_signal(SIGTERM);
  check_unavailable(parked.response());
  assert_int_equal(f.daemon.wait_exit().value_or(-1), 0);
}

void exits_at_once_on_the_second_signal(void** state) {
  Fixture& f = fixture_of<Fixture>(state);
  Connection greedy = f.greedy();
  Connection parked = f.park("a", 1);
  f.daemon.send_signal(SIGTERM);
  check_unavailable(parked.response());  // so the daemon has begun to stop
  const Clock::time_point start = Clock::now();
  assert_false(f.daemon.wait_exit(milliseconds{300}).has_value());
  f.daemon.send_signal(SIGTERM);
  assert_true(f.daemon.wait_exit().has_value());
  assert_true(Clock::now() - start < std::chrono::seconds{3});
}

// All answers are whole, and none comes after the first one with Connection: close.
void breaks_no_answer_off_under_load(void** state) {
  Fixture& f = fixture_of<Fixture>(state);
  std::string requests;
  for (int i = 0; i < 20; ++i) {
    requests += get_request("/get?pool=two&host=a") + get_request("/release?pool=two&host=a") +
                get_request("/wait?pool=two&host=b&timeout=0.01") + get_request("/livez");
  }
  std::vector<Connection> crowd;
  for (int i = 0; i < 60; ++i) {
    crowd.emplace_back(f.port());
  }
  for (Connection& client : crowd) {
    client.send(requests);
  }
  assert_true(crowd[0].response().has_value());
  f.daemon.send_signal(SIGTERM);
  for (Connection& client : crowd) {
    bool closing = false;
    while (const std::optional<Response> response = client.response()) {
      assert_false(closing);
      closing = response->header("Connection") == "close";
      const std::string& body = response->body;
      assert_true(body == "YES" || body == "NO" || body == "OK" || body == "ok\n");
      assert_true(response->status == 200 || response->status == 503);
    }
    assert_true(client.wait_end() != End::none);
    assert_true(client.unread().empty());
  }
  assert_int_equal(f.daemon.wait_exit().value_or(-1), 0);
}

// A daemon in the background, which is not our child.
struct Background {
  Daemon launcher{pools};
  std::string pidfile = launcher.dir().file("pid");
  int pidfd = -1;

  int launch() { return launch_as({.args = {"-l", "127.0.0.1:0", "-d", "-P", pidfile}}); }
  int launch_as(const Launch& how) {
    launcher.spawn(how);
    const int code = launcher.wait_exit().value_or(-1);
    if (code == 0) {
      pidfd = static_cast<int>(syscall(SYS_pidfd_open, pid(), 0));
    }
    return code;
  }
  pid_t pid() const {
    return static_cast<pid_t>(strtol(read_whole_file(pidfile).c_str(), nullptr, 10));
  }
  bool ended(milliseconds timeout) const {
    pollfd waits{pidfd, POLLIN, 0};
    return poll(&waits, 1, static_cast<int>(timeout.count())) == 1;
  }
  bool finish() {
    if (pidfd < 0) {
      return true;
    }
    if (!ended(milliseconds{0})) {
      syscall(SYS_pidfd_send_signal, pidfd, SIGKILL, nullptr, 0);
    }
    const bool gone = ended(patience);
    close(pidfd);
    return gone;
  }
};

void goes_to_the_background_once_it_is_ready(void** state) {
  Background& b = fixture_of<Background>(state);
  assert_int_equal(b.launch(), 0);
  const std::vector<std::string> lines = b.launcher.log_lines("listening address=");
  assert_int_equal(lines.size(), 1);
  const std::string address = lines[0].substr(lines[0].find("address=") + 8);
  Connection line{std::string_view(address)};
  assert_text(word(line, "/get?pool=one&host=h"), "YES");
  assert_true(b.pid() != b.launcher.pid());
  char binary[4096];
  assert_non_null(realpath(getenv("DISTRIBUTEXD"), binary));
  const std::string link = "/proc/" + std::to_string(b.pid()) + "/exe";
  assert_text(std::filesystem::read_symlink(link).string(), binary);
  line.close();
  assert_int_equal(syscall(SYS_pidfd_send_signal, b.pidfd, SIGTERM, nullptr, 0), 0);
  assert_true(b.ended(patience));
  assert_int_equal(access(b.pidfile.c_str(), F_OK), -1);
}

void leaves_its_folder_and_finds_its_files_again(void** state) {
  Background& b = fixture_of<Background>(state);
  const std::string config = std::filesystem::relative(b.launcher.config_path());
  const std::string pidfile = std::filesystem::relative(b.pidfile);
  assert_int_equal(b.launch_as({.args = {"-l", "127.0.0.1:0", "-d", "-c", config, "-P", pidfile},
                                .with_config = false}),
                   0);
  const std::string line = b.launcher.log_lines("listening address=").at(0);
  const std::string address = line.substr(line.find("address=") + 8);
  const std::string folder = "/proc/" + std::to_string(b.pid()) + "/cwd";
  assert_text(std::filesystem::read_symlink(folder).string(), "/");
  b.launcher.configure(std::string(pools) + "  - name: three\n");
  assert_int_equal(syscall(SYS_pidfd_send_signal, b.pidfd, SIGHUP, nullptr, 0), 0);
  assert_true(eventually([&] {
    Connection asks{std::string_view(address)};
    return word(asks, "/get?pool=three&host=h") == "YES";
  }));
  assert_int_equal(syscall(SYS_pidfd_send_signal, b.pidfd, SIGTERM, nullptr, 0), 0);
  assert_true(b.ended(patience));
  assert_int_equal(access(b.pidfile.c_str(), F_OK), -1);
}

void refuses_a_second_daemon_with_the_same_pid_file(void** state) {
  Background& b = fixture_of<Background>(state);
  assert_int_equal(b.launch(), 0);
  const pid_t first = b.pid();
  b.launcher.spawn({.args = {"-l", "127.0.0.1:0", "-P", b.pidfile}});
  assert_int_equal(b.launcher.wait_exit().value_or(-1), EX_OSERR);
  assert_false(b.launcher.log_lines(b.pidfile).empty());
  assert_int_equal(b.pid(), first);
  assert_false(b.ended(milliseconds{0}));
}

void takes_over_the_pid_file_of_a_dead_daemon(void** state) {
  Background& b = fixture_of<Background>(state);
  write_file(b.pidfile, "999999\n");
  assert_int_equal(b.launch(), 0);
  assert_true(b.pid() != 999999);
}

// Root may write to any folder, unless it drops this capability.
void empties_a_pid_file_that_it_cannot_remove(void** state) {
  Background& b = fixture_of<Background>(state);
  if (geteuid() == 0) {
    assert_int_equal(prctl(PR_CAPBSET_DROP, CAP_DAC_OVERRIDE), 0);
  }
  const std::string folder = b.launcher.dir().file("closed");
  assert_int_equal(mkdir(folder.c_str(), 0700), 0);
  b.pidfile = folder + "/pid";
  assert_int_equal(b.launch(), 0);
  assert_true(b.pid() > 0);
  assert_int_equal(chmod(folder.c_str(), 0500), 0);
  assert_int_equal(syscall(SYS_pidfd_send_signal, b.pidfd, SIGTERM, nullptr, 0), 0);
  assert_true(b.ended(patience));
  assert_int_equal(chmod(folder.c_str(), 0700), 0);
  assert_int_equal(access(b.pidfile.c_str(), F_OK), 0);
  assert_text(read_whole_file(b.pidfile), "");
}

void tells_the_launcher_why_it_does_not_start(void** state) {
  Background& b = fixture_of<Background>(state);
  b.launcher.configure("pools: none\n");
  assert_int_equal(b.launch(), EX_CONFIG);
  assert_false(b.launcher.log_lines(b.launcher.config_path() + ":1:").empty());
}

}  // namespace
}  // namespace distributex::test

int main() {
  using namespace distributex::test;
  const CMUnitTest tests[] = {
      test_with(Fixture, answers_every_waiter_before_it_exits),
      test_with(Fixture, answers_a_waiter_in_json_too),
      test_with(Remote, answers_pages_in_flight_before_it_exits),
      test_with(Fixture, answers_who_had_connected_before_the_signal),
      test_with(Fixture, does_not_wait_for_idle_connections),
      test_with(Fixture, refuses_locks_and_readiness_while_it_ends),
      test_with(Fixture, ends_though_a_client_never_reads),
      test_with(Fixture, exits_at_once_on_the_second_signal),
      test_with(Fixture, breaks_no_answer_off_under_load),
      test_with(Background, goes_to_the_background_once_it_is_ready),
      test_with(Background, leaves_its_folder_and_finds_its_files_again),
      test_with(Background, refuses_a_second_daemon_with_the_same_pid_file),
      test_with(Background, takes_over_the_pid_file_of_a_dead_daemon),
      test_with(Background, empties_a_pid_file_that_it_cannot_remove),
      test_with(Background, tells_the_launcher_why_it_does_not_start),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
