// SPDX-License-Identifier: MIT
// The daemon and its service manager: what it tells on NOTIFY_SOCKET, and the
// sockets that it is handed. The manager is this test.
#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sysexits.h>
#include <unistd.h>

#include <csignal>

#include "support/daemon.h"
#include "support/http.h"
#include "support/status.h"
#include "support/test.h"

namespace distributex::test {
namespace {

constexpr std::string_view pools = "listen: 127.0.0.1:0\npools:\n  - name: one\n";

// A socket bound to a path; "@name" is one without a file.
int bound_unix(int type, const std::string& path) {
  const int fd = socket(AF_UNIX, type | SOCK_CLOEXEC, 0);
  sockaddr_un at{};
  at.sun_family = AF_UNIX;
  path.copy(at.sun_path, sizeof at.sun_path - 1);
  if (path.front() == '@') {
    at.sun_path[0] = '\0';
  }
  const auto size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + path.size());
  if (bind(fd, reinterpret_cast<const sockaddr*>(&at), size) != 0) {
    return -1;
  }
  return fd;
}

int bound_tcp() {
  const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in at{};
  at.sin_family = AF_INET;
  at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (bind(fd, reinterpret_cast<const sockaddr*>(&at), sizeof at) != 0) {
    return -1;
  }
  return fd;
}

uint16_t port_of(int fd) {
  sockaddr_in at{};
  socklen_t size = sizeof at;
  getsockname(fd, reinterpret_cast<sockaddr*>(&at), &size);
  return ntohs(at.sin_port);
}

struct Fixture {
  Daemon daemon{pools};
  std::string notify_path = daemon.dir().file("notify");
  int notify = bound_unix(SOCK_DGRAM, notify_path);
  int tcp = bound_tcp();
  std::string unix_path = daemon.dir().file("socket");
  int unix_fd = bound_unix(SOCK_STREAM, unix_path);

  ~Fixture() {
    for (const int fd : {notify, tcp, unix_fd}) {
      close(fd);
    }
  }
  bool begin() { return notify >= 0 && listen(tcp, 64) == 0 && listen(unix_fd, 64) == 0; }
  bool finish() { return daemon.stop(); }

  Launch managed(std::vector<std::string> more = {}) const {
    more.push_back("NOTIFY_SOCKET=" + notify_path);
    return {.args = {}, .environment = std::move(more)};
  }
  Launch activated() const { return {.args = {}, .handed_over = {tcp, unix_fd}}; }

  // The next message; "" when none comes.
  std::string told() const {
    pollfd waiting{.fd = notify, .events = POLLIN, .revents = 0};
    if (poll(&waiting, 1, static_cast<int>(milliseconds{patience}.count())) != 1) {
      return "";
    }
    char text[4096];
    const ssize_t n = recv(notify, text, sizeof text, 0);
    return n > 0 ? std::string(text, static_cast<size_t>(n)) : "";
  }
  // The next message that has the text.
  std::string told_of(std::string_view text) const {
    std::string message;
    do {
      message = told();
    } while (!message.empty() && message.find(text) == std::string::npos);
    return message;
  }
};

void says_ready_when_its_ports_accept(void** state) {
  Fixture& f = fixture_of<Fixture>(state);
  f.daemon.spawn({.args = {"-l", "unix:" + f.unix_path + "2"},
                  .environment = {"NOTIFY_SOCKET=" + f.notify_path}});
  assert_text(f.told(), "READY=1\nSTATUS=1 pool, 0 locks held, 0 waiting");
  Connection line("unix:" + f.unix_path + "2");
  assert_text(word(line, "/livez"), "ok\n");
}

void finds_a_manager_without_a_file(void** state) {
  Fixture& f = fixture_of<Fixture>(state);
  close(f.notify);
  const std::string name = "@" + f.notify_path;
  f.notify = bound_unix(SOCK_DGRAM, name);
  assert_true(f.notify >= 0);
  assert_true(f.daemon.start({.args = {}, .environment = {"NOTIFY_SOCKET=" + name}}));
  assert_text(f.told().substr(0, 8), "READY=1\n");
}

void tells_of_locks_and_waiters(void** state) {
  Fixture& f = fixture_of<Fixture>(state);
  assert_true(f.daemon.start(f.managed()));
  assert_text(word(f.daemon.port(), "/get?pool=one&host=a"), "YES");
  Connection waiter(f.daemon.addresses()[0]);
  assert_true(waiter.send(get_request("/wait?pool=one&host=b")));
  assert_true(wait_for_waiting(f.daemon.port(), "one", 1));
  assert_text(f.told_of("1 waiting"), "STATUS=1 pool, 1 lock held, 1 waiting");
}

// After STOPPING the daemon sends nothing more: it does not begin a reload.
void ignores_a_reload_once_it_stops(void** state) {
  Fixture& f = fixture_of<Fixture>(state);
  assert_true(f.daemon.start(f.managed()));
  Connection greedy(f.daemon.port());
  assert_true(stuff(greedy, get_request("/status/")));  // keeps the server from its end
  f.daemon.send_signal(SIGTERM);
  assert_false(f.told_of("STOPPING=1").empty());
  f.daemon.configure(std::string(pools) + "  - name: two\n");
  f.daemon.send_signal(SIGHUP);
  assert_true(f.daemon.wait_for_log("reload").has_value());
  greedy.reset();
  assert_int_equal(f.daemon.wait_exit().value_or(-1), 0);
  assert_int_equal(f.daemon.log_lines("reload ignored").size(), 1);
  assert_true(f.daemon.log_lines("reloaded").empty());
  pollfd more{.fd = f.notify, .events = POLLIN, .revents = 0};
  while (poll(&more, 1, 0) == 1) {
    const std::string message = f.told();
    assert_true(message.find("READY=1") == std::string::npos);
    assert_true(message.find("RELOADING=1") == std::string::npos);
  }
}

void tells_of_a_reload_whatever_comes_of_it(void** state) {
  Fixture& f = fixture_of<Fixture>(state);
  assert_true(f.daemon.start(f.managed()));
  assert_true(f.told().starts_with("READY=1"));
  const auto before = Clock::now();
  assert_true(f.daemon.reload(std::string(pools) + "  - name: two\n").has_value());
  const std::string reloading = f.told();
  constexpr std::string_view start = "RELOADING=1\nMONOTONIC_USEC=";
  assert_true(reloading.starts_with(start));
  const std::chrono::microseconds at{atoll(reloading.c_str() + start.size())};
  assert_true(at >= std::chrono::floor<std::chrono::microseconds>(before.time_since_epoch()));
  assert_true(at <= Clock::now().time_since_epoch());
  assert_text(f.told(), "READY=1\nSTATUS=2 pools, 0 locks held, 0 waiting");
  assert_true(f.daemon.reload("pools: none\n").has_value());
  assert_true(f.told().starts_with(start));
  assert_true(f.told().starts_with("READY=1"));
}

void says_that_it_stops(void** state) {
  Fixture& f = fixture_of<Fixture>(state);
  assert_true(f.daemon.start(f.managed()));
  f.daemon.send_signal(SIGTERM);
  assert_text(f.told_of("STOPPING"), "STOPPING=1\nSTATUS=stopping");
}

void gives_signs_of_life_when_asked_for(void** state) {
  Fixture& f = fixture_of<Fixture>(state);
  assert_true(f.daemon.start(f.managed({"WATCHDOG_USEC=200000"})));
  for (int i = 0; i < 3; ++i) {
    assert_text(f.told_of("WATCHDOG"), "WATCHDOG=1");
  }
}

// STATUS comes every two seconds when there is news: until then signs of life would have come
// many times.
void gives_no_signs_of_life_in_anothers_name(void** state) {
  Fixture& f = fixture_of<Fixture>(state);
  assert_true(f.daemon.start(f.managed({"WATCHDOG_USEC=20000", "WATCHDOG_PID=1"})));
  assert_true(f.told().starts_with("READY=1"));
  assert_text(word(f.daemon.port(), "/get?pool=one&host=a"), "YES");
  assert_text(f.told(), "STATUS=1 pool, 1 lock held, 0 waiting");
}

void tells_why_it_does_not_start(void** state) {
  Fixture& f = fixture_of<Fixture>(state);
  Launch launch = f.managed();
  launch.args = {"-l", "127.0.0.1:" + std::to_string(port_of(f.tcp))};
  f.daemon.spawn(launch);
  std::string message = f.told();
  assert_true(message.find("Address already in use\nERRNO=98") != std::string::npos);
  assert_int_equal(f.daemon.wait_exit().value_or(-1), EX_OSERR);

  f.daemon.configure("pools: none\n");
  f.daemon.spawn(f.managed());
  message = f.told();
  assert_true(message.starts_with("STATUS=" + f.daemon.config_path() + ":1:"));
  assert_true(message.ends_with("\nERRNO=22"));
  assert_int_equal(f.daemon.wait_exit().value_or(-1), EX_CONFIG);

  launch.args = {"--dance"};
  f.daemon.spawn(launch);
  assert_true(f.told().ends_with("\nERRNO=22"));
  assert_int_equal(f.daemon.wait_exit().value_or(-1), EX_USAGE);
}

void serves_on_what_it_is_handed_and_nothing_else(void** state) {
  Fixture& f = fixture_of<Fixture>(state);
  assert_true(f.daemon.start(f.activated()));
  const std::string tcp = "127.0.0.1:" + std::to_string(port_of(f.tcp));
  assert_int_equal(f.daemon.addresses().size(), 2);
  assert_text(f.daemon.addresses()[0], tcp);
  assert_text(f.daemon.addresses()[1], "unix:" + f.unix_path);
  Connection first(tcp);
  assert_text(word(first, "/get?pool=one&host=a"), "YES");
  Connection second("unix:" + f.unix_path);
  assert_text(word(second, "/get?pool=one&host=b"), "NO");
}

void leaves_anothers_sockets_alone(void** state) {
  Fixture& f = fixture_of<Fixture>(state);
  Launch launch = f.activated();
  launch.environment = {"LISTEN_PID=1"};
  assert_true(f.daemon.start(launch));
  assert_int_equal(f.daemon.addresses().size(), 1);
  assert_int_not_equal(f.daemon.port(), port_of(f.tcp));
}

void refuses_what_does_not_listen(void** state) {
  Fixture& f = fixture_of<Fixture>(state);
  for (const int fd : {f.notify, STDERR_FILENO}) {
    f.daemon.spawn({.args = {}, .handed_over = {f.tcp, fd}});
    assert_int_equal(f.daemon.wait_exit().value_or(-1), EX_OSERR);
    assert_int_equal(f.daemon.log_lines("descriptor 4 was handed over").size(), 1);
  }
}

void serves_whoever_came_between_two_lives(void** state) {
  Fixture& f = fixture_of<Fixture>(state);
  assert_true(f.daemon.start(f.activated()));
  Connection patient("unix:" + f.unix_path);
  assert_text(word(patient, "/livez"), "ok\n");
  assert_true(f.daemon.stop());
  assert_int_equal(access(f.unix_path.c_str(), F_OK), 0);
  Connection early("unix:" + f.unix_path);
  assert_true(early.send(get_request("/get?pool=one&host=a")));
  assert_true(f.daemon.start(f.activated()));
  const auto response = early.response();
  assert_true(response.has_value());
  assert_text(response->body, "YES");
}

// With sockets of the manager the daemon leaves new connections to the next process, but must
// still answer those that wait here.
void answers_all_who_wait_before_its_successor_comes(void** state) {
  Fixture& f = fixture_of<Fixture>(state);
  assert_true(f.daemon.start(f.activated()));
  Connection waiter("unix:" + f.unix_path);
  assert_true(waiter.send(get_request("/wait?pool=one&host=a")));
  assert_true(waiter.response().has_value());
  f.daemon.forget_log();
  Connection parked("unix:" + f.unix_path);
  assert_true(parked.send(get_request("/wait?pool=one&host=b")));
  assert_true(wait_for_waiting(f.daemon.port(), "one", 1));
  f.daemon.send_signal(SIGTERM);
  const auto response = parked.response();
  assert_true(response.has_value());
  assert_int_equal(response->status, 503);
  assert_int_equal(f.daemon.wait_exit().value_or(-1), 0);
}

}  // namespace
}  // namespace distributex::test

int main() {
  using namespace distributex::test;
  const CMUnitTest tests[] = {
      test_with(Fixture, says_ready_when_its_ports_accept),
      test_with(Fixture, finds_a_manager_without_a_file),
      test_with(Fixture, tells_of_locks_and_waiters),
      test_with(Fixture, tells_of_a_reload_whatever_comes_of_it),
      test_with(Fixture, ignores_a_reload_once_it_stops),
      test_with(Fixture, says_that_it_stops),
      test_with(Fixture, gives_signs_of_life_when_asked_for),
      test_with(Fixture, gives_no_signs_of_life_in_anothers_name),
      test_with(Fixture, tells_why_it_does_not_start),
      test_with(Fixture, serves_on_what_it_is_handed_and_nothing_else),
      test_with(Fixture, leaves_anothers_sockets_alone),
      test_with(Fixture, refuses_what_does_not_listen),
      test_with(Fixture, serves_whoever_came_between_two_lives),
      test_with(Fixture, answers_all_who_wait_before_its_successor_comes),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
