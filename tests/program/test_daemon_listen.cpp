// SPDX-License-Identifier: MIT
// Where the daemon listens: several addresses of all kinds at once, and unix
// sockets: left behind, live, or no sockets at all.
#include <arpa/inet.h>
#include <linux/capability.h>
#include <netinet/in.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <unistd.h>

#include "support/daemon.h"
#include "support/http.h"
#include "support/status.h"
#include "support/test.h"

namespace distributex::test {
namespace {

constexpr std::string_view pools = "pools:\n  - name: one\n";

struct Fixture {
  Daemon daemon{pools};
  Daemon other{pools};
  std::string path = daemon.dir().file("socket");
  std::string unix_address = "unix:" + path;

  bool finish() { return daemon.stop() && other.stop(); }

  Launch at_path() const { return {.args = {"-l", unix_address}}; }
  // The daemon's refusal to listen there; "" when it does not refuse as it should.
  std::string refusal(const Launch& launch) {
    other.spawn(launch);
    if (other.wait_exit() != EX_OSERR) {
      return "";
    }
    return other.log_lines(path).empty() ? "" : other.log_lines(path).front();
  }
};

bool has_ipv6() {
  const int fd = socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in6 address{};
  address.sin6_family = AF_INET6;
  address.sin6_addr = in6addr_loopback;
  const bool bound = bind(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
  close(fd);
  return bound;
}

std::string word_at(std::string_view address, std::string_view target) {
  Connection line(address);
  return word(line, target);
}

void listens_on_all_addresses_of_the_configuration(void** state) {
  Fixture& f = fixture_of<Fixture>(state);
  std::string listen = "listen:\n  - 127.0.0.1:0\n  - 127.0.0.2:0\n  - " + f.unix_address + "\n";
  if (has_ipv6()) {
    listen += "  - \"[::1]:0\"\n";
  }
  f.daemon.configure(listen + std::string(pools));
  assert_true(f.daemon.start({.args = {}}));
  const std::vector<std::string> addresses = f.daemon.addresses();
  assert_int_equal(addresses.size(), has_ipv6() ? 4 : 3);
  assert_text(addresses[2], f.unix_address);
  if (has_ipv6()) {
    assert_text(addresses[3].substr(0, 6), "[::1]:");
  }
  for (const std::string& address : addresses) {
    assert_text(word_at(address, "/livez"), "ok\n");
    assert_text(word_at(address, "/get?pool=one&host=a"), "YES");
  }
  assert_text(word_at(addresses[0], "/get?pool=one&host=b"), "NO");
}

void wakes_a_waiter_of_another_listener(void** state) {
  Fixture& f = fixture_of<Fixture>(state);
  assert_true(f.daemon.start({.args = {"-l", "127.0.0.1:0", "-l", f.unix_address}}));
  assert_text(word(f.daemon.port(), "/get?pool=one&host=h"), "YES");
  Connection waiter(f.unix_address);
  assert_true(waiter.send(get_request("/wait?pool=one&host=a")));
  Connection leaves(f.unix_address);
  assert_true(leaves.send(get_request("/wait?pool=one&host=b")));
  assert_true(wait_for_waiting(f.daemon.port(), "one", 2));
  leaves.close();
  assert_true(wait_for_waiting(f.daemon.port(), "one", 1));
  assert_text(word(f.daemon.port(), "/release?pool=one&host=h"), "OK");
  assert_text(waiter.response()->body, "YES");
}

// This test must listen on all addresses for a moment, since that is the rule to prove.
void listens_on_every_address_where_none_is_named(void** state) {
  Fixture& f = fixture_of<Fixture>(state);
  assert_true(f.daemon.start({.args = {"-p", "0"}}));
  const std::string port = std::to_string(f.daemon.port());
  assert_text(word_at("127.0.0.1:" + port, "/livez"), "ok\n");
  if (has_ipv6()) {
    assert_text(word_at("[::1]:" + port, "/livez"), "ok\n");
  }
}

void removes_the_socket_that_a_dead_daemon_left(void** state) {
  Fixture& f = fixture_of<Fixture>(state);
  assert_true(f.daemon.start(f.at_path()));
  f.daemon.kill_now();
  assert_int_equal(access(f.path.c_str(), F_OK), 0);
  assert_true(f.other.start(f.at_path()));
  assert_text(word_at(f.unix_address, "/livez"), "ok\n");
}

void refuses_the_socket_of_a_live_daemon(void** state) {
  Fixture& f = fixture_of<Fixture>(state);
  assert_true(f.daemon.start(f.at_path()));
  assert_false(f.refusal(f.at_path()).empty());
  assert_text(word_at(f.unix_address, "/livez"), "ok\n");
}

// The daemon cannot tell whether somebody listens on a socket that it may not open. Root may
// open any, unless it drops this capability.
void tells_a_socket_that_it_may_not_open_from_a_live_one(void** state) {
  Fixture& f = fixture_of<Fixture>(state);
  if (geteuid() == 0) {
    assert_int_equal(prctl(PR_CAPBSET_DROP, CAP_DAC_OVERRIDE), 0);
  }
  assert_true(f.daemon.start(f.at_path()));
  f.daemon.kill_now();
  assert_int_equal(chmod(f.path.c_str(), 0), 0);
  const std::string refusal = f.refusal(f.at_path());
  assert_that(refusal.find("Permission denied") != refusal.npos, "%s", refusal.c_str());
  assert_that(refusal.find("another process") == refusal.npos, "%s", refusal.c_str());
  assert_int_equal(access(f.path.c_str(), F_OK), 0);
}

void leaves_alone_what_is_no_socket(void** state) {
  Fixture& f = fixture_of<Fixture>(state);
  write_file(f.path, "precious");
  assert_false(f.refusal(f.at_path()).empty());
  assert_text(read_whole_file(f.path), "precious");
  assert_int_equal(unlink(f.path.c_str()), 0);
  assert_int_equal(symlink(f.daemon.config_path().c_str(), f.path.c_str()), 0);
  assert_false(f.refusal(f.at_path()).empty());
  assert_text(read_whole_file(f.daemon.config_path()), pools);
}

void refuses_a_path_that_fits_no_socket(void** state) {
  Fixture& f = fixture_of<Fixture>(state);
  f.other.spawn({.args = {"-l", "unix:" + f.daemon.dir().file(std::string(200, 's'))}});
  assert_int_equal(f.other.wait_exit().value_or(-1), EX_USAGE);
  assert_false(f.other.log_lines("is too long for a socket: 107 bytes").empty());
  f.path = f.daemon.dir().file("nosuch/socket");
  assert_false(f.refusal({.args = {"-l", "unix:" + f.path}}).empty());
}

void takes_its_socket_away_when_it_stops(void** state) {
  Fixture& f = fixture_of<Fixture>(state);
  assert_true(f.daemon.start(f.at_path()));
  assert_true(f.daemon.stop());
  assert_int_equal(access(f.path.c_str(), F_OK), -1);
}

void keeps_strangers_off_its_socket(void** state) {
  Fixture& f = fixture_of<Fixture>(state);
  assert_true(f.daemon.start(f.at_path()));
  struct stat st {};
  assert_int_equal(stat(f.path.c_str(), &st), 0);
  assert_true(S_ISSOCK(st.st_mode));
  assert_int_equal(st.st_mode & S_IRWXO, 0);
}

}  // namespace
}  // namespace distributex::test

int main() {
  using namespace distributex::test;
  const CMUnitTest tests[] = {
      test_with(Fixture, listens_on_all_addresses_of_the_configuration),
      test_with(Fixture, wakes_a_waiter_of_another_listener),
      test_with(Fixture, listens_on_every_address_where_none_is_named),
      test_with(Fixture, removes_the_socket_that_a_dead_daemon_left),
      test_with(Fixture, refuses_the_socket_of_a_live_daemon),
      test_with(Fixture, tells_a_socket_that_it_may_not_open_from_a_live_one),
      test_with(Fixture, leaves_alone_what_is_no_socket),
      test_with(Fixture, refuses_a_path_that_fits_no_socket),
      test_with(Fixture, takes_its_socket_away_when_it_stops),
      test_with(Fixture, keeps_strangers_off_its_socket),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
