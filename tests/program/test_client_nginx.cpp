// SPDX-License-Identifier: MIT
// A real nginx that cuts every request off after two seconds, in front of the
// daemon: whoever waits through it keeps its place in the line, and is served
// beside clients that come directly.
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>

#include "support/client.h"
#include "support/daemon.h"
#include "support/http.h"
#include "support/memcached.h"
#include "support/status.h"
#include "support/test.h"

namespace distributex::test {
namespace {

class Nginx {
 public:
  explicit Nginx(uint16_t daemon) : port_(free_port()) {
    write_file(dir_.file("nginx.conf"),
               "daemon off;\nmaster_process off;\npid nginx.pid;\nerror_log error.log;\n"
               "events {}\nhttp {\n  access_log off;\n"
               "  client_body_temp_path body;\n  proxy_temp_path proxy;\n"
               "  fastcgi_temp_path fastcgi;\n  uwsgi_temp_path uwsgi;\n  scgi_temp_path scgi;\n"
               "  server {\n    listen 127.0.0.1:" +
                   std::to_string(port_) +
                   ";\n    location / {\n      proxy_pass http://127.0.0.1:" +
                   std::to_string(daemon) + ";\n      proxy_read_timeout 2s;\n    }\n  }\n}\n");
  }
  ~Nginx() {
    if (pid_ <= 0) {
      return;
    }
    kill(pid_, SIGKILL);
    waitpid(pid_, nullptr, 0);
  }
  Nginx(const Nginx&) = delete;
  Nginx& operator=(const Nginx&) = delete;

  [[nodiscard]] uint16_t port() const { return port_; }
  // False when there is no nginx, or it does not answer.
  [[nodiscard]] bool start() {
    pid_ = fork();
    if (pid_ == 0) {
      prctl(PR_SET_PDEATHSIG, SIGKILL);
      const std::string folder = dir_.path() + "/";
      for (const char* nginx : {"nginx", "/usr/sbin/nginx"}) {
        execlp(nginx, "nginx", "-p", folder.c_str(), "-c", "nginx.conf", "-e", "error.log",
               static_cast<char*>(nullptr));
      }
      _exit(127);
    }
    const auto answers = [this] { return fetch(port_, "/livez").status == 200; };
    return eventually([&] { return answers() || waitpid(pid_, nullptr, WNOHANG) != 0; }) &&
           answers();
  }

 private:
  TempDir dir_;
  uint16_t port_;
  pid_t pid_ = -1;
};

struct Fixture {
  Daemon daemon{"pools:\n  - {name: one, expire: 600}\n"};
  std::unique_ptr<Nginx> nginx{};

  bool begin() { return daemon.start(); }
  bool finish() {
    nginx.reset();
    return daemon.stop();
  }
  void start_nginx() {
    nginx = std::make_unique<Nginx>(daemon.port());
    if (nginx->start()) {
      return;
    }
    print_message("skipped: nginx is not installed, so none stands before the daemon\n");
    skip();
  }
  static Connection waiting(uint16_t port, const std::string& host) {
    Connection waiter(port);
    assert_true(waiter.send(get_request("/wait?pool=one&id=1&host=" + host)));
    return waiter;
  }
};

void wait_that_nginx_cuts_off_goes_on_at_its_place(void** state) {
  Fixture& f = fixture_of<Fixture>(state);
  f.start_nginx();
  assert_text(word(f.daemon.port(), "/get?pool=one&host=holder"), "YES");
  Connection first = Fixture::waiting(f.nginx->port(), "a");
  assert_true(wait_for_waiting(f.daemon.port(), "one", 1));
  Connection second = Fixture::waiting(f.daemon.port(), "b");
  // The client waits twice for longer than nginx allows, and is cut off each time.
  for (int times = 0; times < 2; ++times) {
    assert_int_equal(first.response().value_or(Response{}).status, 504);
    first = Fixture::waiting(f.nginx->port(), "a");
    assert_true(wait_for_waiting(f.daemon.port(), "one", 2));
    assert_text(waiters_of(f.daemon.port(), "one"), "a b");
  }
  assert_true(second.quiet());
}

// A client that waits two seconds at a time, and went to the end of the queue each time, would
// never be served. So count how often the others had the lock meanwhile.
void client_behind_nginx_is_served_beside_others(void** state) {
  Fixture& f = fixture_of<Fixture>(state);
  f.start_nginx();
  std::vector<std::unique_ptr<Client>> others;
  for (int i = 0; i < 4; ++i) {
    others.push_back(std::make_unique<Client>(
        on(f.daemon.port(), "one", {"-i", "other" + std::to_string(i), "sleep 1"})));
  }
  assert_true(wait_for_waiting(f.daemon.port(), "one", 3));
  Client through(on(f.nginx->port(), "one", {"-i", "through", "true"}));
  size_t locks = 0;
  const auto ended = [](const auto& client) { return !client->running(); };
  while (through.running() && locks < 40) {
    assert_true(eventually(
        [&] { return !through.running() || std::any_of(others.begin(), others.end(), ended); }));
    for (size_t i = 0; i < others.size(); ++i) {
      if (others[i]->running()) {
        continue;
      }
      ++locks;
      others[i] = std::make_unique<Client>(
          on(f.daemon.port(), "one", {"-i", "other" + std::to_string(i), "sleep 1"}));
    }
  }
  assert_int_equal(through.wait_exit().value_or(-1), 0);
  assert_true(locks < 40);
}

}  // namespace
}  // namespace distributex::test

int main() {
  using namespace distributex::test;
  const CMUnitTest tests[] = {
      test_with(Fixture, wait_that_nginx_cuts_off_goes_on_at_its_place),
      test_with(Fixture, client_behind_nginx_is_served_beside_others),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
