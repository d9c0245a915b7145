// SPDX-License-Identifier: MIT
// What doc/protocol.txt asks of proxies, through real ones: HAProxy as examples/
// configures it, and nginx. Skipped where they are not installed.
#include <memory>

#include "support/daemon.h"
#include "support/http.h"
#include "support/proxy.h"
#include "support/status.h"
#include "support/test.h"

namespace distributex::test {
namespace {

constexpr std::string_view pools = "pools:\n  - {name: one, expire: 600}\n";

struct Fixture {
  Daemon daemon{pools};
  std::unique_ptr<RealProxy> proxy{};

  bool begin() { return daemon.start(); }
  bool finish() {
    proxy.reset();
    return daemon.stop();
  }
  uint16_t port() const { return daemon.port(); }
  void put_in_front(RealProxy::Kind kind) {
    proxy = std::make_unique<RealProxy>(kind, port());
    if (!proxy->exists()) {
      print_message("skipped: the proxy is not installed\n");
      skip();
    }
    assert_true(proxy->start());
  }
};

// The lock goes to who waits, not to who has gone.
void leave_while_waiting(Fixture& f, RealProxy::Kind kind) {
  f.put_in_front(kind);
  assert_text(word(f.port(), "/get?pool=one&host=holder"), "YES");
  Connection leaves(f.proxy->address());
  assert_true(leaves.send(get_request("/wait?pool=one&host=leaves")));
  assert_true(wait_for_waiting(f.port(), "one", 1));
  Connection stays(f.proxy->address());
  assert_true(stays.send(get_request("/wait?pool=one&host=stays")));
  assert_true(wait_for_waiting(f.port(), "one", 2));
  leaves.close();
  assert_true(wait_for_waiting(f.port(), "one", 1));
  assert_text(word(f.port(), "/release?pool=one&host=holder"), "OK");
  const auto granted = stays.response();
  assert_true(granted && granted->body == "YES");
}

void who_leaves_behind_haproxy_leaves_the_line(void** state) {
  leave_while_waiting(fixture_of<Fixture>(state), RealProxy::Kind::haproxy);
}

void who_leaves_behind_nginx_leaves_the_line(void** state) {
  leave_while_waiting(fixture_of<Fixture>(state), RealProxy::Kind::nginx);
}

// Well below what nginx keeps in its buffers.
void follow(Fixture& f, RealProxy::Kind kind) {
  f.put_in_front(kind);
  Connection reader(f.proxy->address());
  assert_true(reader.send(get_request("/events/?follow=1")));
  const auto arrives = [&](std::string_view text) {
    return eventually([&] {
      (void)reader.quiet();
      return reader.unread().find(text) != std::string::npos;
    });
  };
  assert_true(arrives("200 OK"));
  assert_text(word(f.port(), "/get?pool=one&host=first"), "YES");
  assert_true(arrives("first"));
  assert_text(word(f.port(), "/release?pool=one&host=first"), "OK");
  assert_true(arrives("released"));
}

void events_come_through_haproxy_at_once(void** state) {
  follow(fixture_of<Fixture>(state), RealProxy::Kind::haproxy);
}

void events_come_through_nginx_at_once(void** state) {
  follow(fixture_of<Fixture>(state), RealProxy::Kind::nginx);
}

}  // namespace
}  // namespace distributex::test

int main() {
  using namespace distributex::test;
  const CMUnitTest tests[] = {
      test_with(Fixture, who_leaves_behind_haproxy_leaves_the_line),
      test_with(Fixture, who_leaves_behind_nginx_leaves_the_line),
      test_with(Fixture, events_come_through_haproxy_at_once),
      test_with(Fixture, events_come_through_nginx_at_once),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
