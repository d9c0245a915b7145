// SPDX-License-Identifier: MIT
// Freeze, thaw and evict on the wire of the real daemon: words and statuses, who
// is refused, what other clients see of a freeze, and that nothing is granted after it, over
// each backend.
#include <stdlib.h>
#include <string.h>

#include "support/daemon.h"
#include "support/http.h"
#include "support/memcached.h"
#include "support/status.h"
#include "support/test.h"

namespace distributex::test {
namespace {

constexpr std::string_view pools = R"(pools:
  - name: one
    expire: 100
  - name: many
    maxlocks: 10000
  - name: deploy/web
  - name: deploy/db
)";

constexpr std::string_view as_json = "Accept: application/json\r\n";

struct Fixture {
  Daemon daemon{pools};

  bool begin() { return daemon.start(); }
  bool finish() { return daemon.stop(); }
  uint16_t port() const { return daemon.port(); }
  Response post(std::string_view target, std::string_view extra = "") {
    return post_to(port(), target, extra);
  }
  static Response post_to(uint16_t port, std::string_view target, std::string_view extra = "") {
    Connection line(port);
    assert_true(line.send(post_request(target, "", extra)));
    return line.response().value_or(Response{});
  }
};

// "200 OK frozen": status, body, Distributex-Result.
std::string gist(const Response& response) {
  return std::to_string(response.status) + " " + response.body + " " +
         response.header("Distributex-Result");
}

void orders_are_answered_in_text(void** state) {
  Fixture& f = fixture_of<Fixture>(state);
  assert_text(gist(f.post("/freeze?pool=one&reason=bad")), "200 OK frozen");
  assert_text(gist(f.post("/thaw/?pool=one")), "200 OK thawed");
  assert_text(gist(f.post("/thaw/?pool=one")), "200 NO not-frozen");
  const std::string token = fetch(f.port(), "/get?pool=one&host=a").header("Distributex-Token");
  assert_text(gist(f.post("/evict?pool=one&reason=dead&token=" + token)), "200 OK evicted");
  assert_text(gist(f.post("/evict?pool=one&reason=dead&token=" + token)), "200 NO no-lease");
  assert_text(word(f.port(), "/renew?pool=one&host=a&token=" + token), "NO");
}

void bad_orders_say_what_would_be_right(void** state) {
  Fixture& f = fixture_of<Fixture>(state);
  struct Case {
    const char* target;
    int status;
    const char* error;
  };
  constexpr Case cases[] = {
      {"/freeze?pool=one", 400, "parameter \"reason\" is missing"},
      {"/freeze?reason=x", 400, "parameter \"pool\" is missing"},
      {"/freeze?pool=one&reason=", 400, "parameter \"reason\" is empty; it has 1 to 255 bytes"},
      {"/freeze?pool=one&reason=x&for=0", 400,
       "parameter \"for\" is not a whole number of seconds from 1 to 2147483647: \"0\""},
      {"/freeze?pool=one&reason=x&by=%00", 400,
       "parameter \"by\" has a control character, which no name may have: \"%00\""},
      {"/freeze?pool=nosuch&reason=x", 404, "there is no pool \"nosuch\" on this server"},
      {"/evict?pool=one&reason=x", 400, "parameter \"token\" is missing"},
      {"/evict?pool=one&token=7", 400, "parameter \"reason\" is missing"},
      {"/thaw", 400, "parameter \"pool\" is missing"},
  };
  for (const Case& each : cases) {
    const Response response = f.post(each.target, as_json);
    assert_int_equal(response.status, each.status);
    assert_text(response.header("Distributex-Error"), each.error);
  }
}

void only_post_gives_orders(void** state) {
  Fixture& f = fixture_of<Fixture>(state);
  for (const char* target : {"/freeze?pool=one&reason=x", "/thaw?pool=one", "/evict?pool=one"}) {
    const Response response = fetch(f.port(), target);
    assert_int_equal(response.status, 405);
    assert_text(response.header("Allow"), "POST");
  }
  assert_text(word(f.port(), "/get?pool=one&host=a"), "YES");
}

void a_page_of_another_site_gives_no_orders(void** state) {
  Fixture& f = fixture_of<Fixture>(state);
  struct Case {
    const char* headers;
    bool passes;
  };
  // The test's requests have the Host localhost.
  constexpr Case cases[] = {
      {"Sec-Fetch-Site: cross-site\r\n", false},
      {"Sec-Fetch-Site: same-site\r\n", false},
      {"Sec-Fetch-Site: same-origin\r\nOrigin: http://elsewhere\r\n", true},
      {"Sec-Fetch-Site: none\r\n", true},
      {"Origin: null\r\n", false},
      {"Origin: http://evil.example\r\n", false},
      {"Origin: http://localhost.evil.example\r\n", false},
  };
  for (const Case& each : cases) {
    const Response response = f.post("/freeze?pool=one&reason=x", each.headers);
    assert_int_equal(response.status, each.passes ? 200 : 403);
    assert_text(response.body, each.passes ? "OK" : "INVALID");
  }
  const Response own = f.post("/thaw?pool=one", "Origin: http://localhost\r\n");
  assert_text(own.body, "OK");
}

void a_frozen_pool_says_why(void** state) {
  Fixture& f = fixture_of<Fixture>(state);
  assert_text(f.post("/freeze?pool=deploy/*&reason=bad+release&by=ann&for=1000").body, "OK");
  const Response no = fetch(f.port(), "/get?pool=deploy/web&host=a");
  assert_text(gist(no), "200 NO busy");
  assert_text(no.header("Distributex-Frozen"), "bad release");
  const Json json =
      parse_json(fetch(f.port(), "/wait?pool=deploy/db&host=a&timeout=0.01", as_json).body);
  const json_t* frozen = json_object_get(json.get(), "frozen");
  assert_text(json_string_value(json_object_get(frozen, "by")), "ann");
  assert_text(json_string_value(json_object_get(frozen, "pool")), "deploy/*");
  const double since = json_number_value(json_object_get(frozen, "since"));
  const double until = json_number_value(json_object_get(frozen, "until"));
  assert_true(until - since > 999.9 && until - since < 1000.1);
  assert_text(fetch(f.port(), "/get?pool=one&host=a").header("Distributex-Frozen"), "");
  const Response thaw = f.post("/thaw?pool=deploy/web");
  assert_text(gist(thaw), "200 NO not-frozen");
  assert_text(thaw.header("Distributex-Frozen"), "bad release");
  const std::string status = fetch(f.port(), "/status/?pool=deploy/web").body;
  assert_non_null(strstr(status.c_str(), "\"frozen\":{\"pool\":\"deploy/*\""));
  assert_non_null(strstr(status.c_str(), "\"freezes\":[{\"pool\":\"deploy/*\""));
  const std::string metrics = fetch(f.port(), "/metrics").body;
  assert_non_null(strstr(metrics.c_str(), "distributex_pool_frozen{pool=\"deploy/web\"} 1\n"));
  assert_non_null(strstr(metrics.c_str(), "distributex_pool_frozen{pool=\"one\"} 0\n"));
}

void each_order_is_an_event_and_a_line_of_the_audit_trail(void** state) {
  Fixture& f = fixture_of<Fixture>(state);
  (void)f.post("/freeze?pool=*&reason=%22bad%22&by=ann&for=60");
  (void)f.post("/thaw?pool=*&by=bob");
  const std::string token = fetch(f.port(), "/get?pool=one&host=a").header("Distributex-Token");
  (void)f.post("/evict?pool=one&reason=dead&by=cid&token=" + token);
  assert_true(f.daemon.wait_for_log("event=frozen").has_value());
  const auto evicted = f.daemon.wait_for_log("event=evicted");
  assert_true(evicted.has_value());
  assert_non_null(strstr(evicted->c_str(), ("pool=one host=a token=" + token).c_str()));
  assert_non_null(strstr(evicted->c_str(), "reason=dead by=cid"));
  assert_non_null(strstr(f.daemon.log_lines("event=frozen").at(0).c_str(),
                         "pool=* reason=\"\\x22bad\\x22\" by=ann for=60.000"));
  const std::string events = fetch(f.port(), "/events/").body;
  for (const char* part : {"\"event\":\"frozen\",\"pool\":\"*\"", "\"event\":\"thawed\"",
                           "\"event\":\"evicted\"", "\"by\":\"bob\"", "\"for\":60"}) {
    assert_that(events.find(part) != events.npos, "%s", part);
  }
  assert_int_equal(f.daemon.log_lines("event=frozen").size(), 1);
}

// Thousands wait; a freeze parks them, and after the thaw they are served in order.
void a_line_outlasts_a_freeze_in_order(void** state) {
  Fixture& f = fixture_of<Fixture>(state);
  assert_text(word(f.port(), "/get?pool=one&host=holder"), "YES");
  std::vector<Connection> line;
  for (int i = 0; i < 200; i++) {
    line.emplace_back(f.port());
    assert_true(line.back().send(get_request("/wait?pool=one&host=h" + std::to_string(i))));
    assert_true(wait_for_waiting(f.port(), "one", line.size()));
  }
  assert_text(f.post("/freeze?pool=one&reason=stop").body, "OK");
  assert_text(word(f.port(), "/release?pool=one&host=holder"), "OK");
  assert_true(wait_for_waiting(f.port(), "one", line.size()));
  assert_true(line.front().quiet());
  assert_text(f.post("/thaw?pool=one").body, "OK");
  for (size_t i = 0; i < line.size(); i++) {
    const auto response = line[i].response();
    assert_true(response && response->body == "YES");
    assert_true(i + 1 == line.size() || line[i + 1].quiet());
    assert_text(word(f.port(), "/release?pool=one&host=h" + std::to_string(i)), "OK");
  }
}

// Events are in the order in which they were told: none between a freeze and its thaw may be
// a grant.
void expect_no_grant_behind_a_freeze(const std::string& events) {
  bool frozen = false;
  size_t freezes = 0;
  for (size_t at = 0; (at = events.find("\"event\":\"", at)) != events.npos;) {
    at += 9;
    const std::string what = events.substr(at, events.find('"', at) - at);
    assert_false(frozen && what == "granted");
    frozen = what == "frozen" || (frozen && what != "thawed");
    freezes += what == "frozen" ? 1U : 0U;
  }
  assert_int_equal(freezes, 10);
}

// Many clients ask while the freeze is made.
void race(const std::string& options) {
  Daemon daemon(std::string(pools) + options);
  assert_true(daemon.start());
  for (int round = 0; round < 10; round++) {
    std::vector<Connection> clients;
    for (int i = 0; i < 40; i++) {
      clients.emplace_back(daemon.port());
    }
    Connection operators(daemon.port());
    for (size_t i = 0; i < clients.size(); i++) {
      const std::string host = std::to_string(round) + "-" + std::to_string(i);
      assert_true(clients[i].send(get_request("/get?pool=many&host=" + host)));
      if (i == clients.size() / 2) {
        assert_true(operators.send(post_request("/freeze?pool=many&reason=race", "")));
      }
    }
    assert_text(operators.response().value_or(Response{}).body, "OK");
    assert_text(word(daemon.port(), "/get?pool=many&host=after"), "NO");
    for (Connection& client : clients) {
      const std::string answer = client.response().value_or(Response{}).body;
      assert_true(answer == "YES" || answer == "NO");
    }
    assert_text(Fixture::post_to(daemon.port(), "/thaw?pool=many").body, "OK");
  }
  expect_no_grant_behind_a_freeze(fetch(daemon.port(), "/events/").body);
  assert_true(daemon.stop());
}

void nothing_is_granted_behind_a_freeze_in_memory(void**) { race("backend: inmemory\n"); }

void nothing_is_granted_behind_a_freeze_in_sqlite(void**) {
  TempDir dir;
  race("backend: sqlite\nsqlitefile: \"" + dir.file("s.db") + "\"\n");
}

void nothing_is_granted_behind_a_freeze_in_memcached(void**) {
  Memcached memcached;
  assert_true(memcached.start());
  race("backend: memcache\nmemcachehost: \"" + memcached.address() + "\"\n");
}

void a_freeze_in_a_store_outlives_kill(void**) {
  TempDir dir;
  Daemon daemon(std::string(pools) + "backend: sqlite\nsqlitefile: \"" + dir.file("s.db") + "\"\n");
  assert_true(daemon.start());
  assert_text(Fixture::post_to(daemon.port(), "/freeze?pool=one&reason=bad&by=ann").body, "OK");
  daemon.kill_now();
  assert_true(daemon.restart());
  const Response no = fetch(daemon.port(), "/get?pool=one&host=a");
  assert_text(no.body, "NO");
  assert_text(no.header("Distributex-Frozen"), "bad");
  assert_text(Fixture::post_to(daemon.port(), "/thaw?pool=one").body, "OK");
  daemon.kill_now();
  assert_true(daemon.restart());
  assert_text(word(daemon.port(), "/get?pool=one&host=a"), "YES");
  assert_true(daemon.stop());
}

}  // namespace
}  // namespace distributex::test

int main() {
  using namespace distributex::test;
  const CMUnitTest tests[] = {
      test_with(Fixture, orders_are_answered_in_text),
      test_with(Fixture, bad_orders_say_what_would_be_right),
      test_with(Fixture, only_post_gives_orders),
      test_with(Fixture, a_page_of_another_site_gives_no_orders),
      test_with(Fixture, a_frozen_pool_says_why),
      test_with(Fixture, each_order_is_an_event_and_a_line_of_the_audit_trail),
      test_with(Fixture, a_line_outlasts_a_freeze_in_order),
      cmocka_unit_test(nothing_is_granted_behind_a_freeze_in_memory),
      cmocka_unit_test(nothing_is_granted_behind_a_freeze_in_sqlite),
      cmocka_unit_test(nothing_is_granted_behind_a_freeze_in_memcached),
      cmocka_unit_test(a_freeze_in_a_store_outlives_kill),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
