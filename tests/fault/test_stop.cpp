// SPDX-License-Identifier: MIT
// The daemon is told to stop while something is in flight to a memcached that
// is slow: a lock that is granted too late is given back before the exit.
#include <signal.h>

#include "support/daemon.h"
#include "support/faultproxy.h"
#include "support/http.h"
#include "support/memcached.h"
#include "support/test.h"

namespace distributex::test {
namespace {

struct Fixture {
  Memcached memcached{};
  std::unique_ptr<FaultProxy> proxy{};
  std::unique_ptr<Daemon> daemon{};
  std::unique_ptr<Daemon> next{};

  static std::string config(const std::string& host) {
    return "backend: memcache\nmemcachehost: " + host +
           "\nmemcachetimeout: 4000\npools:\n  - {name: one, expire: 600}\n";
  }
  static std::unique_ptr<Daemon> started(const std::string& host) {
    auto daemon = std::make_unique<Daemon>(config(host));
    if (!daemon->start()) {
      return nullptr;
    }
    const uint16_t port = daemon->port();
    if (!eventually([port] { return fetch(port, "/readyz").status == 200; })) {
      return nullptr;
    }
    return daemon;
  }
  bool begin() {
    if (!memcached.start()) {
      return false;
    }
    proxy = std::make_unique<FaultProxy>(memcached.port());
    return (daemon = started(proxy->address())) != nullptr;
  }
  bool finish() {
    const bool well = (!daemon || daemon->stop()) && (!next || next->stop());
    proxy.reset();
    return well;
  }
  // The daemon reads what comes in the order in which it comes, so it has read
  // all that was sent before this request.
  void let_it_read() const { assert_text(word(daemon->port(), "/livez"), "ok\n"); }
};

void lock_granted_while_it_stops_is_given_back(void** state) {
  Fixture& f = fixture_of<Fixture>(state);
  f.proxy->set(FaultProxy::Mode::stall);
  Connection client(f.daemon->port());
  assert_true(client.send(get_request("/get?pool=one&host=a")));
  f.let_it_read();
  f.daemon->send_signal(SIGTERM);
  const Response response = client.response().value_or(Response{});
  assert_int_equal(response.status, 503);
  assert_text(response.header("Distributex-Result"), "unavailable");
  assert_false(f.daemon->wait_exit(milliseconds{300}).has_value());
  f.proxy->set(FaultProxy::Mode::pass);
  assert_int_equal(f.daemon->wait_exit().value_or(-1), 0);
  f.next = Fixture::started(f.memcached.address());
  assert_non_null(f.next.get());
  assert_text(word(f.next->port(), "/get?pool=one&host=b"), "YES");
}

}  // namespace
}  // namespace distributex::test

int main() {
  using namespace distributex::test;
  const CMUnitTest tests[] = {
      test_with(Fixture, lock_granted_while_it_stops_is_given_back),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
