// SPDX-License-Identifier: MIT
// What one peer may take of the daemon's connections: who is counted as one, a
// clear refusal beyond the limit, and nobody else hindered.
#include <arpa/inet.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "http/peers.h"
#include "support/daemon.h"
#include "support/http.h"
#include "support/status.h"
#include "support/test.h"

namespace distributex::test {
namespace {

constexpr std::string_view config = R"(max_connections_per_peer: 3
pools:
  - name: one
)";

constexpr std::string_view wider = R"(max_connections_per_peer: 4
pools:
  - name: one
)";

struct Fixture {
  Daemon daemon{config};
  std::vector<Connection> taken;

  bool begin() { return daemon.start(); }
  bool finish() { return daemon.stop(); }
  uint16_t port() const { return daemon.port(); }
  std::string address() const { return "127.0.0.1:" + std::to_string(port()); }

  void fill(std::string_view from, int count) {
    for (int i = 0; i < count; ++i) {
      taken.emplace_back(address(), from);
      assert_text(word(taken.back(), "/livez"), "ok\n");
    }
  }
};

// Enters a connection from address; returns how many are counted together with it.
uint32_t entered(Peers& peers, std::string_view address) {
  const std::string text(address);
  sockaddr_in v4{};
  v4.sin_family = AF_INET;
  if (inet_pton(AF_INET, text.c_str(), &v4.sin_addr) == 1) {
    return peers.enter(reinterpret_cast<const sockaddr*>(&v4))->second;
  }
  sockaddr_in6 v6{};
  v6.sin6_family = AF_INET6;
  assert_int_equal(inet_pton(AF_INET6, text.c_str(), &v6.sin6_addr), 1);
  return peers.enter(reinterpret_cast<const sockaddr*>(&v6))->second;
}

void an_address_is_a_peer_and_so_is_an_ipv6_network(void**) {
  Peers peers;
  assert_int_equal(entered(peers, "192.0.2.1"), 1);
  assert_int_equal(entered(peers, "192.0.2.2"), 1);
  assert_int_equal(entered(peers, "192.0.2.1"), 2);
  assert_int_equal(entered(peers, "::ffff:192.0.2.1"), 3);
  assert_int_equal(entered(peers, "2001:db8:0:1::1"), 1);
  assert_int_equal(entered(peers, "2001:db8:0:1:ffff::2"), 2);
  assert_int_equal(entered(peers, "2001:db8:0:2::1"), 1);
  assert_int_equal(entered(peers, "::1"), 1);
}

void a_peer_that_leaves_is_forgotten(void**) {
  Peers peers;
  sockaddr_in v4{};
  v4.sin_family = AF_INET;
  Peers::Peer* first = peers.enter(reinterpret_cast<const sockaddr*>(&v4));
  Peers::Peer* second = peers.enter(reinterpret_cast<const sockaddr*>(&v4));
  assert_ptr_equal(first, second);
  peers.leave(first);
  assert_int_equal(second->second, 1);
  peers.leave(second);
  assert_int_equal(peers.enter(reinterpret_cast<const sockaddr*>(&v4))->second, 1);
}

void a_unix_socket_is_no_peer(void**) {
  Peers peers;
  sockaddr_un local{};
  local.sun_family = AF_UNIX;
  assert_null(peers.enter(reinterpret_cast<const sockaddr*>(&local)));
  peers.leave(nullptr);
}

void refuses_one_connection_too_many_clearly(void** state) {
  auto& f = fixture_of<Fixture>(state);
  f.fill("127.0.0.2:0", 3);
  Connection surplus(f.address(), "127.0.0.2:0");
  const Response refusal = fetch(surplus, "/get?pool=one&host=late");
  assert_int_equal(refusal.status, 503);
  assert_text(refusal.body, "NO");
  assert_text(refusal.header("Distributex-Result"), "unavailable");
  assert_text(refusal.header("Distributex-Error"),
              "your address has as many connections to the server as it may have");
  assert_false(refusal.header("Retry-After").empty());
  assert_text(refusal.header("Connection"), "close");
  assert_int_equal(surplus.wait_end(), End::eof);
  assert_text(holders_of(f.port(), "one"), "");
}

void hinders_nobody_else(void** state) {
  auto& f = fixture_of<Fixture>(state);
  f.fill("127.0.0.2:0", 3);
  f.fill("127.0.0.3:0", 3);
  for (Connection& one : f.taken) {
    assert_text(word(one, "/livez"), "ok\n");
  }
  assert_text(word(f.port(), "/get?pool=one&host=a"), "YES");
}

void a_closed_connection_makes_room(void** state) {
  auto& f = fixture_of<Fixture>(state);
  f.fill("127.0.0.2:0", 3);
  f.taken.pop_back();
  assert_true(eventually([&] {
    Connection again(f.address(), "127.0.0.2:0");
    return fetch(again, "/livez").status == 200;
  }));
}

void a_reload_changes_the_limit(void** state) {
  auto& f = fixture_of<Fixture>(state);
  f.fill("127.0.0.2:0", 3);
  assert_true(f.daemon.reload(wider).has_value());
  f.fill("127.0.0.2:0", 1);
  Connection surplus(f.address(), "127.0.0.2:0");
  assert_int_equal(fetch(surplus, "/livez").status, 503);
}

void a_flood_costs_few_descriptors(void** state) {
  auto& f = fixture_of<Fixture>(state);
  std::vector<Connection> crowd;
  for (int i = 0; i < 400; ++i) {
    crowd.emplace_back(f.address(), "127.0.0.2:0");
  }
  assert_int_equal(crowd.back().wait_end(), End::eof);
  assert_true(eventually([&] { return f.daemon.open_files() < 120; }));
  assert_text(word(f.port(), "/livez"), "ok\n");
}

}  // namespace
}  // namespace distributex::test

int main() {
  using namespace distributex::test;
  const CMUnitTest tests[] = {
      cmocka_unit_test(an_address_is_a_peer_and_so_is_an_ipv6_network),
      cmocka_unit_test(a_peer_that_leaves_is_forgotten),
      cmocka_unit_test(a_unix_socket_is_no_peer),
      test_with(Fixture, refuses_one_connection_too_many_clearly),
      test_with(Fixture, hinders_nobody_else),
      test_with(Fixture, a_closed_connection_makes_room),
      test_with(Fixture, a_reload_changes_the_limit),
      test_with(Fixture, a_flood_costs_few_descriptors),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
