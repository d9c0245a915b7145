// SPDX-License-Identifier: MIT
// The pages for monitoring: the probes byte by byte, in each method and
// version that a load balancer may use, and what /status/ tells.
#include <time.h>

#include "support/daemon.h"
#include "support/http.h"
#include "support/status.h"
#include "support/test.h"

namespace distributex::test {
namespace {

constexpr std::string_view pools = R"(pools:
  - name: plain
  - name: rich
    expire: 90
    maxlocks: 3
    servers: b.example, a.example
  - name: for ever
    expire: 0
)";

struct Fixture {
  Daemon daemon{pools};

  bool begin() { return daemon.start(); }
  bool finish() { return daemon.stop(); }
  uint16_t port() const { return daemon.port(); }
};

const char* const probes[] = {"/livez", "/readyz", "/health", "/healthz"};

// The answer's head, as far as the contract fixes it.
void check_head(const Response& response, const std::string& what) {
  assert_that(response.status == 200, "%s: status %d", what.c_str(), response.status);
  assert_text(response.header("Content-Type").substr(0, 10), "text/plain");
  assert_text(response.header("Cache-Control"), "no-store");
  assert_int_equal(response.count("Cache-Control"), 1);
  assert_int_equal(response.count("Content-Type"), 1);
}

void answers_probes_with_one_constant_line(void** state) {
  Fixture& f = fixture_of<Fixture>(state);
  Connection line(f.port());
  for (const char* probe : probes) {
    for (const char* ending : {"", "/", "?from=monitor", "/?x"}) {
      const std::string target = std::string(probe) + ending;
      const Response response = fetch(line, target);
      check_head(response, target);
      assert_text(response.body, "ok\n");
      assert_text(response.header("Content-Length"), "3");
    }
  }
}

void answers_the_root(void** state) {
  Fixture& f = fixture_of<Fixture>(state);
  Connection line(f.port());
  const Response first = fetch(line, "/");
  check_head(first, "/");
  assert_true(!first.body.empty() && first.body.ends_with('\n'));
  assert_text(fetch(line, "/").body, first.body);
}

void answers_head_without_a_body_and_stays_in_step(void** state) {
  Fixture& f = fixture_of<Fixture>(state);
  Connection line(f.port());
  for (const char* page : {"/livez", "/readyz/", "/health", "/healthz", "/", "/status/"}) {
    const Response get = fetch(line, page);
    assert_true(line.send(std::string("HEAD ") + page + " HTTP/1.1\r\nHost: x\r\n\r\n"));
    const Response head = line.response(true).value_or(Response{});
    assert_int_equal(head.status, 200);
    assert_text(head.header("Content-Type"), get.header("Content-Type"));
    assert_text(head.header("Cache-Control"), "no-store");
    if (page != std::string_view("/status/")) {
      assert_text(head.header("Content-Length"), get.header("Content-Length"));
    }
    assert_text(word(line, "/livez"), "ok\n");
  }
}

void answers_options_and_http_1_0_without_a_host(void** state) {
  Fixture& f = fixture_of<Fixture>(state);
  for (const char* page : {"/", "/livez", "/readyz", "/health/", "/healthz", "/status/"}) {
    for (const char* method : {"GET", "HEAD", "OPTIONS"}) {
      const std::string start = std::string(method) + " " + page;
      Connection old(f.port());
      assert_true(old.send(start + " HTTP/1.0\r\n\r\n"));
      const Response response = old.response(method[0] == 'H').value_or(Response{});
      assert_that(response.status == 200, "%s HTTP/1.0: status %d", start.c_str(), response.status);
      assert_int_equal(old.wait_end(), End::eof);
      assert_text(old.unread(), "");
      Connection line(f.port());
      assert_true(line.send(start + " HTTP/1.1\r\nHost: x\r\n\r\n"));
      assert_int_equal(line.response(method[0] == 'H').value_or(Response{}).status, 200);
      assert_text(word(line, "/livez"), "ok\n");
    }
  }
}

void refuses_other_methods_on_a_page(void** state) {
  Fixture& f = fixture_of<Fixture>(state);
  for (const char* page : {"/", "/livez", "/readyz", "/status/"}) {
    for (const char* method : {"POST", "PUT", "DELETE", "FOO"}) {
      Connection line(f.port());
      assert_true(line.send(std::string(method) + " " + page +
                            " HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n"));
      const Response response = line.response().value_or(Response{});
      assert_that(response.status == 405, "%s %s: status %d", method, page, response.status);
      assert_true(response.header("Allow").find("HEAD") != std::string::npos);
    }
  }
}

void is_alive_while_many_wait(void** state) {
  Fixture& f = fixture_of<Fixture>(state);
  assert_text(word(f.port(), "/get?pool=plain&host=h"), "YES");
  std::vector<Connection> parked;
  for (int i = 0; i < 50; ++i) {
    parked.emplace_back(f.port());
    assert_true(parked.back().send(get_request("/wait?pool=plain&host=w" + std::to_string(i))));
  }
  assert_true(wait_for_waiting(f.port(), "plain", 50));
  for (const char* probe : probes) {
    assert_text(word(f.port(), probe), "ok\n");
  }
}

void tells_version_backend_and_uptime(void** state) {
  Fixture& f = fixture_of<Fixture>(state);
  double last = 0;
  for (const char* path : {"/status/", "/status", "//status//"}) {
    const Response response = fetch(f.port(), path);
    assert_int_equal(response.status, 200);
    assert_text(response.header("Content-Type").substr(0, 16), "application/json");
    assert_text(response.header("Cache-Control"), "no-store");
    const Json json = parse_json(response.body);
    assert_true(!json_text(json.get(), "version").empty());
    assert_text(json_text(json.get(), "backend"), "inmemory");
    const std::optional<double> uptime = json_number_at(json.get(), "uptime");
    assert_true(uptime && *uptime >= last && *uptime < 3600);
    last = *uptime;
  }
}

void lists_pools_as_configured(void** state) {
  Fixture& f = fixture_of<Fixture>(state);
  const auto all = all_pools(f.port());
  assert_true(all && all->size() == 3);
  assert_text(all->at(0).name + "," + all->at(1).name + "," + all->at(2).name,
              "plain,rich,for ever");
  const PoolState& rich = all->at(1);
  assert_int_equal(rich.maxlocks, 3);
  assert_int_equal(rich.expire, 90);
  assert_int_equal(rich.servers.size(), 2);
  assert_int_equal(all->at(0).expire, 1800);
  assert_int_equal(all->at(0).maxlocks, 1);
  assert_int_equal(all->at(0).servers.size(), 0);
  assert_int_equal(all->at(2).expire, 0);
}

void lists_holders_and_waiters(void** state) {
  Fixture& f = fixture_of<Fixture>(state);
  const double now = static_cast<double>(time(nullptr));
  const Response granted =
      fetch(f.port(), "/get?pool=plain&host=%c3%a9%22%5c&id=%3cx%3e&expire=40");
  assert_text(granted.body, "YES");
  Connection waiter(f.port());
  assert_true(waiter.send(get_request("/wait?pool=plain&host=w+w")));
  assert_true(wait_for_waiting(f.port(), "plain", 1));
  const PoolState plain = pool_state(f.port(), "plain");
  assert_int_equal(plain.holders.size(), 1);
  const HolderState& holder = plain.holders[0];
  assert_text(holder.host, "\u00e9\"\\");
  assert_text(holder.id, "<x>");
  assert_text(std::to_string(holder.token), granted.header("Distributex-Token"));
  assert_true(holder.since > now - 30 && holder.since < now + 30);
  assert_true(holder.expires_in && *holder.expires_in > 10 && *holder.expires_in <= 40);
  assert_text(plain.waiting[0].host, "w w");
  assert_text(plain.waiting[0].id, "");
  assert_true(plain.waiting[0].since >= holder.since);
  assert_true(plain.waiting[0].since < now + 30);
}

void shows_one_pool_where_asked(void** state) {
  Fixture& f = fixture_of<Fixture>(state);
  assert_text(word(f.port(), "/get?pool=plain&host=h"), "YES");
  const auto one = all_pools(f.port(), "?pool=for+ever");
  assert_true(one && one->size() == 1);
  assert_text(one->at(0).name, "for ever");
  const Json none = parse_json(fetch(f.port(), "/status/?pool=nosuch").body);
  assert_int_equal(json_is_array(json_object_get(none.get(), "pools")), 1);
  assert_int_equal(json_array_size(json_object_get(none.get(), "pools")), 0);
}

}  // namespace
}  // namespace distributex::test

int main() {
  using namespace distributex::test;
  const CMUnitTest tests[] = {
      test_with(Fixture, answers_probes_with_one_constant_line),
      test_with(Fixture, answers_the_root),
      test_with(Fixture, answers_head_without_a_body_and_stays_in_step),
      test_with(Fixture, answers_options_and_http_1_0_without_a_host),
      test_with(Fixture, refuses_other_methods_on_a_page),
      test_with(Fixture, is_alive_while_many_wait),
      test_with(Fixture, tells_version_backend_and_uptime),
      test_with(Fixture, lists_pools_as_configured),
      test_with(Fixture, lists_holders_and_waiters),
      test_with(Fixture, shows_one_pool_where_asked),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
