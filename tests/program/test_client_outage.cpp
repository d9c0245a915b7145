// SPDX-License-Identifier: MIT
// distributex when servers or the name service are silent: an outage is not
// contention, the next server gets its turn, and nothing takes longer than it may.
// In a network and a view of /etc of its own, where packets can be dropped.
#include <fcntl.h>
#include <netinet/in.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/handle.h"
#include "support/client.h"
#include "support/daemon.h"
#include "support/lossy.h"
#include "support/namespace.h"
#include "support/scenes.h"
#include "support/status.h"
#include "support/test.h"

namespace distributex::test {
namespace {

constexpr std::string_view config = R"(pools:
  - name: one
)";

std::string without_namespaces;  // why there are none

struct Fixture {
  Daemon daemon{config};
  TempDir dir;
  std::string mark = dir.file("ran");

  bool begin() { return daemon.start({.args = {"-l", "0.0.0.0:0"}}); }
  bool finish() {
    if (daemon.running()) {
      daemon.send_signal(SIGCONT);
    }
    return daemon.stop();
  }

  [[nodiscard]] std::string at(std::string_view host) const {
    return std::string(host) + ":" + std::to_string(daemon.port());
  }
  [[nodiscard]] Ended run(const std::string& servers, const std::vector<std::string>& more) const {
    std::vector<std::string> args = {"-H", servers, "-r", "one"};
    args.insert(args.end(), more.begin(), more.end());
    args.insert(args.end(), {"--", "touch", mark});
    return run_client(args);
  }
  [[nodiscard]] bool has_run() const { return access(mark.c_str(), F_OK) == 0; }
};

void need_namespaces() {
  if (!without_namespaces.empty()) {
    print_message("no namespaces here: %s\n", without_namespaces.c_str());
    skip();
  }
}

// A file of /etc as this scene alone sees it.
void show_instead(const Fixture& f, const std::string& path, std::string_view text) {
  const std::string source = f.dir.file("etc" + std::to_string(std::hash<std::string>{}(path)));
  write_file(source, text);
  if (access(path.c_str(), F_OK) != 0) {
    print_message("there is no %s here\n", path.c_str());
    skip();
  }
  assert_int_equal(mount(source.c_str(), path.c_str(), nullptr, MS_BIND, nullptr), 0);
}

// Makes /etc/hosts not know this host, and the name server silent.
Fd fall_silent(const Fixture& f, std::string_view hosts) {
  // The thread of the look-up still runs at the end; a leak check might wait for it for ever.
  setenv("ASAN_OPTIONS", "detect_leaks=0", 1);
  assert_text(enter_namespaces(CLONE_NEWNS | CLONE_NEWUTS), "");
  assert_int_equal(sethostname("web7", 4), 0);
  show_instead(f, "/etc/hosts", hosts);
  show_instead(f, "/etc/nsswitch.conf", "hosts: files dns\n");
  show_instead(f, "/etc/resolv.conf", "nameserver 127.0.0.1\noptions timeout:30 attempts:5\n");
  Fd server(socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(53);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  const int on = 1;
  setsockopt(server.get(), SOL_SOCKET, SO_REUSEPORT, &on, sizeof on);
  void* bytes = &address;
  assert_int_equal(bind(server.get(), static_cast<sockaddr*>(bytes), sizeof address), 0);
  return server;
}

void a_stopped_server_is_an_outage_and_no_contention(void** state) {
  auto& f = fixture_of<Fixture>(state);
  f.daemon.send_signal(SIGSTOP);
  const Ended ended = f.run(f.at("127.0.0.1"), {"-w", "1.5", "-E", "0"});
  assert_int_equal(ended.code, 69);
  assert_int_equal(lines_in(ended.err), 1);
  assert_non_null(strstr(ended.err.c_str(), f.at("127.0.0.1").c_str()));
  assert_that(ended.err.find("no answer") != std::string::npos, "says %s", ended.err.c_str());
  assert_false(f.has_run());
}

void a_no_is_still_75_and_what_e_says(void** state) {
  auto& f = fixture_of<Fixture>(state);
  assert_text(word(f.daemon.port(), "/get/?pool=one&host=other"), "YES");
  assert_int_equal(f.run(f.at("127.0.0.1"), {"-w", "1.2"}).code, 75);
  assert_int_equal(f.run(f.at("127.0.0.1"), {"-w", "1.2", "-E", "0"}).code, 0);
  assert_false(f.has_run());
}

void the_next_server_is_asked_when_one_stands_still(void** state) {
  auto& f = fixture_of<Fixture>(state);
  Daemon still{config};
  assert_true(still.start());
  still.send_signal(SIGSTOP);
  const std::string both = "127.0.0.1:" + std::to_string(still.port()) + "," + f.at("127.0.0.1");
  const Ended ended = f.run(both, {"-w", "6"});
  assert_int_equal(ended.code, 0);
  assert_true(f.has_run());
}

void packets_that_are_dropped_are_an_outage(void** state) {
  need_namespaces();
  auto& f = fixture_of<Fixture>(state);
  const Ended ended = f.run(f.at(far_side), {"-w", "1.5", "-E", "0"});
  assert_int_equal(ended.code, 69);
  assert_int_equal(lines_in(ended.err), 1);
  assert_non_null(strstr(ended.err.c_str(), far_side));
  assert_false(f.has_run());
}

void the_next_server_is_asked_when_packets_are_dropped(void** state) {
  need_namespaces();
  auto& f = fixture_of<Fixture>(state);
  const std::string both = f.at(far_side) + "," + f.at("127.0.0.1");
  const Ended ended = f.run(both, {"-w", "8"});
  assert_that(ended.code == 0, "exit %d: %s", ended.code, ended.err.c_str());
  assert_true(f.has_run());
}

void a_dead_address_of_a_server_is_passed_over(void** state) {
  need_namespaces();
  auto& f = fixture_of<Fixture>(state);
  assert_text(enter_namespaces(CLONE_NEWNS), "");
  show_instead(f, "/etc/hosts",
               std::string(far_side) +
                   " many.example\n10.99.0.3 many.example\n127.0.0.1 "
                   "localhost many.example\n");
  show_instead(f, "/etc/nsswitch.conf", "hosts: files\n");
  const Ended ended = f.run(f.at("many.example"), {"-w", "8"});
  assert_that(ended.code == 0, "exit %d: %s", ended.code, ended.err.c_str());
  assert_true(f.has_run());
}

// The resolver itself would take 150 s.
void a_silent_name_server_does_not_hold_up_a_numeric_address(void** state) {
  need_namespaces();
  auto& f = fixture_of<Fixture>(state);
  const Fd silent = fall_silent(f, "127.0.0.1 localhost\n");
  for (const std::vector<std::string>& way :
       {std::vector<std::string>{"-n"}, {"-w", "8"}, {"-v"}}) {
    const Ended ended = f.run(f.at("127.0.0.1"), way);
    assert_that(ended.code == 0, "exit %d: %s", ended.code, ended.err.c_str());
    assert_true(f.has_run());
    unlink(f.mark.c_str());
  }
}

void a_silent_name_server_is_an_outage(void** state) {
  need_namespaces();
  auto& f = fixture_of<Fixture>(state);
  const Fd silent = fall_silent(f, "127.0.0.1 localhost\n");
  const Ended ended = f.run(f.at("lock.example"), {"-w", "1.5", "-E", "0"});
  assert_int_equal(ended.code, 69);
  assert_int_equal(lines_in(ended.err), 1);
  assert_non_null(strstr(ended.err.c_str(), "lock.example"));
  assert_false(f.has_run());
  const Ended next = f.run(f.at("lock.example") + "," + f.at("127.0.0.1"), {"-w", "8"});
  assert_that(next.code == 0, "exit %d: %s", next.code, next.err.c_str());
}

void a_host_is_never_called_localhost_when_it_has_a_name(void** state) {
  need_namespaces();
  auto& f = fixture_of<Fixture>(state);
  assert_text(enter_namespaces(CLONE_NEWNS | CLONE_NEWUTS), "");
  assert_int_equal(sethostname("web7", 4), 0);
  show_instead(f, "/etc/nsswitch.conf", "hosts: files\n");
  struct Row {
    const char* hosts;
    const char* name;
  };
  for (const Row& row :
       {Row{"127.0.0.1 localhost.localdomain localhost web7\n", "web7"},
        Row{"127.0.0.1 localhost\n127.0.1.1 web7.example.com web7\n", "web7.example.com"},
        Row{"127.0.0.1 localhost\n", "web7"}}) {
    show_instead(f, "/etc/hosts", row.hosts);
    const Ended ended =
        run_client({"-H", f.at("127.0.0.1"), "-r", "one", "echo \"$DISTRIBUTEX_HOST\""});
    assert_text(ended.out, std::string(row.name) + "\n");
  }
}

}  // namespace
}  // namespace distributex::test

int main() {
  using namespace distributex::test;
  without_namespaces = enter_namespaces(CLONE_NEWNET | CLONE_NEWNS);
  std::optional<LossyNetwork> network;
  if (without_namespaces.empty()) {
    network.emplace();
    without_namespaces = network->trouble();
    network->set({.lost = 100});
  }
  const CMUnitTest tests[] = {
      test_with(Fixture, a_stopped_server_is_an_outage_and_no_contention),
      test_with(Fixture, a_no_is_still_75_and_what_e_says),
      test_with(Fixture, the_next_server_is_asked_when_one_stands_still),
      test_with(Fixture, packets_that_are_dropped_are_an_outage),
      test_with(Fixture, the_next_server_is_asked_when_packets_are_dropped),
      test_with(Fixture, a_dead_address_of_a_server_is_passed_over),
      test_with(Fixture, a_silent_name_server_does_not_hold_up_a_numeric_address),
      test_with(Fixture, a_silent_name_server_is_an_outage),
      test_with(Fixture, a_host_is_never_called_localhost_when_it_has_a_name),
  };
  return run_beside(tests);
}
