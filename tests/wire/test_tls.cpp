// SPDX-License-Identifier: MIT
// TLS on the wire: what both versions give, what is refused, what plain HTTP and
// TLS get on each other's address, how a client leaves, what a reload changes and what it
// does not start, and what is counted.
#include <openssl/err.h>
#include <signal.h>
#include <unistd.h>

#include <filesystem>
#include <string>
#include <vector>

#include "support/metrics.h"
#include "support/test.h"
#include "support/tls_world.h"

using namespace distributex;
using namespace distributex::test;

namespace {

struct Fixture : TlsWorld {
  bool begin() { return start(); }
  bool finish() { return daemon->stop(); }
};

constexpr int versions[] = {TLS1_2_VERSION, TLS1_3_VERSION};

void both_versions_carry_many_requests_of_any_size(void** state) {
  const Fixture& world = fixture_of<Fixture>(state);
  for (const int version : versions) {
    TlsClient client(world.tls(), {.version = version});
    assert_that(client.connected(), "%s", client.error().c_str());
    for (int i = 0; i < 50; ++i) {
      assert_text(client.fetch("/get?host=h&pool=p").body, "YES");
      assert_text(client.fetch("/release?host=h&pool=p").body, "OK");
    }
    // Bytes one by one, each a record of its own; and many requests in one record.
    for (const char byte : get_request("/get?host=h&pool=p")) {
      assert_true(client.send({&byte, 1}));
    }
    assert_text(client.response()->body, "YES");
    std::string many;
    for (int i = 0; i < 100; ++i) {
      many += get_request("/livez");
    }
    assert_true(client.send(many));
    for (int i = 0; i < 100; ++i) {
      const auto response = client.response();
      assert_true(response && response->status == 200);
    }
    assert_int_equal(client.fetch("/", "Accept: text/html\r\n").status, 200);
    assert_text(client.fetch("/release?host=h&pool=p").body, "OK");
  }
}

void a_waiter_is_woken_over_tls(void** state) {
  const Fixture& world = fixture_of<Fixture>(state);
  for (const int version : versions) {
    TlsClient holder(world.tls(), {.version = version});
    TlsClient waiter(world.tls(), {.version = version});
    assert_text(holder.fetch("/get?host=a&pool=p").body, "YES");
    assert_true(waiter.send(get_request("/wait?host=b&pool=p")));
    assert_true(eventually([&] {
      return fetch(world.plain(), "/status/?pool=p").body.find("\"queued\":1") != std::string::npos;
    }));
    assert_text(holder.fetch("/release?host=a&pool=p").body, "OK");
    assert_text(waiter.response()->body, "YES");
    assert_text(waiter.fetch("/release?host=b&pool=p").body, "OK");
  }
}

void old_versions_and_other_protocols_are_refused_by_an_alert(void** state) {
  const Fixture& world = fixture_of<Fixture>(state);
  for (const int version : {TLS1_VERSION, TLS1_1_VERSION}) {
    const TlsClient client(world.tls(), {.version = version});
    assert_false(client.connected());
    assert_text(client.error(), "tlsv1 alert protocol version");
  }
  const TlsClient h2(world.tls(), {.alpn = "h2"});
  assert_false(h2.connected());
  assert_text(h2.error(), "tlsv1 alert no application protocol");
  TlsClient http(world.tls(), {.alpn = "http/1.1"});
  assert_int_equal(http.fetch("/livez").status, 200);
}

void plain_http_on_a_tls_address_is_told_so(void** state) {
  const Fixture& world = fixture_of<Fixture>(state);
  Connection plain(world.tls());
  assert_true(plain.send(get_request("/get?host=h&pool=p")));
  const auto response = plain.response();
  assert_true(response.has_value());
  assert_int_equal(response->status, 400);
  assert_text(response->body, "INVALID");
  assert_text(response->header("Distributex-Error"), "this address speaks TLS: use https://");
  assert_true(plain.wait_end() == End::eof);
}

void a_client_has_left_in_each_way_when_its_lock_comes(void** state) {
  Fixture& world = fixture_of<Fixture>(state);
  for (const int version : versions) {
    for (size_t i = 0; i < leave_count; ++i) {
      TlsClient holder(world.tls(), {.version = version});
      assert_text(holder.fetch("/get?host=a&pool=p").body, "YES");
      TlsClient waiter(world.tls(), {.version = version});
      assert_true(waiter.send(get_request("/wait?host=b&pool=p")));
      assert_true(eventually([&] {
        return fetch(world.plain(), "/status/?pool=p").body.find("\"queued\":1") !=
               std::string::npos;
      }));
      // The release stands in the queue before the client leaves: both are seen in one
      // pass, and the look before the grant must find the end.
      world.daemon->send_signal(SIGSTOP);
      assert_true(holder.send(get_request("/release?host=a&pool=p")));
      waiter.leave(static_cast<Leave>(i));
      world.daemon->send_signal(SIGCONT);
      assert_text(holder.response()->body, "OK");
      assert_that(eventually([&] { return word(world.plain(), "/get?host=c&pool=p") == "YES"; }),
                  "way %zu of version %x: the lock went to who had left", i, version);
      assert_text(word(world.plain(), "/release?host=c&pool=p"), "OK");
    }
  }
}

void a_parked_client_that_leaves_waits_no_more(void** state) {
  const Fixture& world = fixture_of<Fixture>(state);
  for (const int version : versions) {
    for (size_t i = 0; i < leave_count; ++i) {
      TlsClient holder(world.tls(), {.version = version});
      assert_text(holder.fetch("/get?host=a&pool=p").body, "YES");
      TlsClient waiter(world.tls(), {.version = version});
      assert_true(waiter.send(get_request("/wait?host=b&pool=p")));
      const auto queued = [&](const char* count) {
        return fetch(world.plain(), "/status/?pool=p").body.find(count) != std::string::npos;
      };
      assert_true(eventually([&] { return queued("\"queued\":1"); }));
      waiter.leave(static_cast<Leave>(i));
      assert_that(eventually([&] { return queued("\"queued\":0"); }), "way %zu of version %x", i,
                  version);
      assert_text(holder.fetch("/release?host=a&pool=p").body, "OK");
    }
  }
}

void a_hold_ends_with_its_connection(void** state) {
  const Fixture& world = fixture_of<Fixture>(state);
  for (const int version : versions) {
    for (size_t i = 0; i < leave_count; ++i) {
      TlsClient holder(world.tls(), {.version = version});
      assert_true(holder.send("GET /hold/?host=a&pool=p HTTP/1.0\r\n\r\n"));
      const auto held = [&](const char* count) {
        return fetch(world.plain(), "/status/?pool=p").body.find(count) != std::string::npos;
      };
      assert_true(eventually([&] { return held("\"held\":1"); }));
      assert_text(word(world.plain(), "/get?host=b&pool=p"), "NO");
      holder.leave(static_cast<Leave>(i));
      assert_that(eventually([&] { return held("\"held\":0"); }), "way %zu of version %x", i,
                  version);
    }
  }
}

void the_server_ends_with_close_notify(void** state) {
  const Fixture& world = fixture_of<Fixture>(state);
  for (const int version : versions) {
    TlsClient client(world.tls(), {.version = version});
    assert_int_equal(client.fetch("/livez", "Connection: close\r\n").status, 200);
    assert_that(client.ended(), "%s", client.error().c_str());
  }
}

void a_reload_changes_the_certificate_and_keeps_connections(void** state) {
  const Fixture& world = fixture_of<Fixture>(state);
  TlsWorld& changing = fixture_of<Fixture>(state);
  TlsClient kept(world.tls());
  assert_int_equal(kept.fetch("/livez").status, 200);
  const SslSession session = kept.session();
  const auto serial = [&](const TlsClient& client) {
    return ASN1_INTEGER_get(X509_get0_serialNumber(SSL_get0_peer_certificate(client.ssl())));
  };
  const long before = serial(kept);
  TlsClient resumed(world.tls(), {.session = session.get()});
  assert_true(resumed.resumed());

  const Issued fresh = world.puppet.issuing.issue({.dns = {"localhost"}});
  world.put("server.pem", fresh.pem + world.puppet.issuing.pem());
  assert_false(changing.reload());  // the key is another one's: nothing changes
  const TlsClient same(world.tls());
  assert_int_equal(serial(same), before);

  world.put("server.key", fresh.key_pem);
  assert_true(changing.reload());
  TlsClient next(world.tls(), {.session = session.get()});
  assert_true(next.connected());
  assert_false(next.resumed());
  assert_true(serial(next) != before);
  assert_int_equal(kept.fetch("/livez").status, 200);
}

// A reload that had to start a thread could fail after it has changed half of the daemon.
void a_reload_starts_no_thread(void** state) {
  const Fixture& world = fixture_of<Fixture>(state);
  const auto threads = [](const Daemon& daemon) {
    const std::filesystem::path all = "/proc/" + std::to_string(daemon.pid()) + "/task";
    return std::distance(std::filesystem::directory_iterator(all), {});
  };
  const std::string pools = "pools: [{name: p}]\n";
  Daemon plain(pools);
  assert_true(plain.start());
  const auto before = threads(plain);
  assert_int_equal(threads(*world.daemon), before + 1);
  const auto outcome = plain.reload("tls_certificate: " + world.file("server.pem") +
                                    "\ntls_key: " + world.file("server.key") + "\n" + pools);
  assert_true(outcome && outcome->find("reloaded") != std::string::npos);
  assert_int_equal(threads(plain), before);
}

void handshakes_are_counted_by_their_end(void** state) {
  const Fixture& world = fixture_of<Fixture>(state);
  TlsClient first(world.tls());
  assert_int_equal(first.fetch("/livez").status, 200);
  const SslSession session = first.session();
  const TlsClient again(world.tls(), {.session = session.get()});
  assert_true(again.resumed());
  const TlsClient old(world.tls(), {.version = TLS1_1_VERSION});
  assert_false(old.connected());
  {
    Connection silent(world.tls());
    assert_true(silent.send(std::string_view("\x16\x03\x01\x02\x00", 5)));
  }
  const auto count = [&](const std::string& line) {
    return fetch(world.plain(), "/metrics").body.find(line) != std::string::npos;
  };
  for (const char* line : {"distributex_tls_handshakes_total{result=\"full\"} 1\n",
                           "distributex_tls_handshakes_total{result=\"resumed\"} 1\n",
                           "distributex_tls_handshakes_total{result=\"refused\"} 1\n",
                           "distributex_tls_handshakes_total{result=\"left\"} 1\n"}) {
    assert_that(eventually([&] { return count(line); }), "%s", line);
  }
  assert_true(count("distributex_tls_certificate_expiry_seconds 86"));
}

void renegotiation_is_refused(void** state) {
  const Fixture& world = fixture_of<Fixture>(state);
  TlsClient client(world.tls(), {.version = TLS1_2_VERSION});
  assert_int_equal(client.fetch("/livez").status, 200);
  SSL_renegotiate(client.ssl());
  assert_int_not_equal(SSL_do_handshake(client.ssl()), 1);
  ERR_clear_error();
  TlsClient other(world.tls());
  assert_int_equal(other.fetch("/livez").status, 200);
}

}  // namespace

int main() {
  signal(SIGPIPE, SIG_IGN);
  const CMUnitTest tests[] = {
      test_with(Fixture, both_versions_carry_many_requests_of_any_size),
      test_with(Fixture, a_waiter_is_woken_over_tls),
      test_with(Fixture, old_versions_and_other_protocols_are_refused_by_an_alert),
      test_with(Fixture, plain_http_on_a_tls_address_is_told_so),
      test_with(Fixture, a_client_has_left_in_each_way_when_its_lock_comes),
      test_with(Fixture, a_parked_client_that_leaves_waits_no_more),
      test_with(Fixture, a_hold_ends_with_its_connection),
      test_with(Fixture, the_server_ends_with_close_notify),
      test_with(Fixture, a_reload_changes_the_certificate_and_keeps_connections),
      test_with(Fixture, a_reload_starts_no_thread),
      test_with(Fixture, handshakes_are_counted_by_their_end),
      test_with(Fixture, renegotiation_is_refused),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
