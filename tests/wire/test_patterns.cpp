// SPDX-License-Identifier: MIT
// Pools by pattern in the real daemon: what others see of them, that names which
// are forgotten cost nothing, and that their tokens rise all the same.
#include <stdlib.h>
#include <string.h>

#include "support/daemon.h"
#include "support/http.h"
#include "support/status.h"
#include "support/test.h"

namespace distributex::test {
namespace {

constexpr std::string_view config = R"(max_pools: 3
pools:
  - name: deploy/*
    maxlocks: 2
  - name: one
)";

struct Fixture {
  Daemon daemon{config};

  bool begin() { return daemon.start(); }
  bool finish() { return daemon.stop(); }
  uint16_t port() const { return daemon.port(); }
};

void a_made_pool_is_shown_under_its_pattern(void** state) {
  Fixture& f = fixture_of<Fixture>(state);
  assert_text(word(f.port(), "/get?pool=deploy/web&host=a"), "YES");
  assert_text(word(f.port(), "/get?pool=deploy/db&host=a"), "YES");
  const std::string status = fetch(f.port(), "/status/").body;
  assert_non_null(strstr(status.c_str(), "\"name\":\"deploy/web\",\"pattern\":\"deploy/*\""));
  const std::string metrics = fetch(f.port(), "/metrics").body;
  assert_non_null(strstr(metrics.c_str(), "distributex_pool_held{pool=\"deploy/*\"} 2\n"));
  assert_non_null(strstr(metrics.c_str(), "distributex_pool_slots{pool=\"deploy/*\"} 4\n"));
  assert_null(strstr(metrics.c_str(), "deploy/web"));
  assert_text(word(f.port(), "/release?pool=deploy/web&host=a"), "OK");
  assert_true(eventually(
      [&] { return fetch(f.port(), "/status/").body.find("deploy/web") == std::string::npos; }));
}

void beyond_max_pools_is_unavailable_until_one_is_forgotten(void** state) {
  Fixture& f = fixture_of<Fixture>(state);
  for (const char* name : {"a", "b", "c"}) {
    assert_text(word(f.port(), std::string("/get?host=h&pool=deploy/") + name), "YES");
  }
  const Response refused = fetch(f.port(), "/get?host=h&pool=deploy/d");
  assert_int_equal(refused.status, 503);
  assert_text(word(f.port(), "/release?host=h&pool=deploy/b"), "OK");
  assert_true(eventually([&] { return word(f.port(), "/get?host=h&pool=deploy/d") == "YES"; }));
}

// A lock that outlives the daemon is seen, counted, renewed and given back, though its pool
// is one of a pattern and there are more than max_pools.
void locks_of_made_pools_outlive_the_daemon(void** state) {
  Fixture& f = fixture_of<Fixture>(state);
  const TempDir dir;
  Daemon stored("backend: sqlite\nsqlitefile: " + dir.file("locks.db") + "\n" +
                std::string(config));
  assert_true(stored.start());
  for (const char* name : {"a", "b", "c"}) {
    assert_text(word(stored.port(), std::string("/get?host=h&pool=deploy/") + name), "YES");
  }
  stored.kill_now();
  assert_true(stored.start());
  const std::string status = fetch(stored.port(), "/status/").body;
  assert_non_null(strstr(status.c_str(), "\"name\":\"deploy/a\",\"pattern\":\"deploy/*\""));
  const std::string metrics = fetch(stored.port(), "/metrics").body;
  assert_non_null(strstr(metrics.c_str(), "distributex_pool_held{pool=\"deploy/*\"} 3\n"));
  assert_int_equal(fetch(stored.port(), "/get?host=h&pool=deploy/d").status, 503);
  assert_text(word(stored.port(), "/release?host=h&pool=deploy/d"), "OK");
  assert_text(word(stored.port(), "/release?host=h&pool=deploy/b"), "OK");
  assert_true(
      eventually([&] { return word(stored.port(), "/get?host=h&pool=deploy/d") == "YES"; }));
  assert_true(stored.stop());
  (void)f;
}

// The pool was idle, and so to be forgotten, when the waiter came; a change of another pool
// is stored before the thaw.
void a_waiter_of_a_frozen_pool_is_woken_by_the_thaw(void** state) {
  Fixture& f = fixture_of<Fixture>(state);
  const TempDir dir;
  for (const char* backend : {"inmemory", "sqlite"}) {
    Daemon daemon("backend: " + std::string(backend) + "\nsqlitefile: " + dir.file("locks.db") +
                  "\n" + std::string(config));
    assert_true(daemon.start());
    const auto post = [&](const char* target) {
      Connection line(daemon.port());
      assert_true(line.send(std::string("POST ") + target +
                            " HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n"));
      return line.response()->body;
    };
    assert_text(post("/freeze?pool=deploy/*&reason=r"), "OK");
    assert_text(word(daemon.port(), "/get?pool=deploy/x&host=a"), "NO");
    Connection waiter(daemon.port());
    assert_true(waiter.send(get_request("/wait?pool=deploy/x&host=b")));
    assert_true(wait_for_waiting(daemon.port(), "deploy/x", 1));
    assert_text(word(daemon.port(), "/get?pool=one&host=a"), "YES");
    assert_text(post("/thaw?pool=deploy/*"), "OK");
    assert_text(waiter.response()->body, "YES");
    assert_true(daemon.stop());
  }
  (void)f;
}

void tokens_rise_over_forgetting(void** state) {
  Fixture& f = fixture_of<Fixture>(state);
  uint64_t last = 0;
  for (int i = 0; i < 5; i++) {
    const Response response = fetch(f.port(), "/get?host=h&pool=deploy/x");
    const uint64_t token = strtoull(response.header("Distributex-Token").c_str(), nullptr, 10);
    assert_true(token > last);
    last = token;
    assert_text(word(f.port(), "/release?host=h&pool=deploy/x"), "OK");
  }
}

// The growth over many names is compared with that over the first few; over a million
// when the environment says DISTRIBUTEX_TEST_ALL, which takes minutes.
void forgotten_names_take_no_memory(void** state) {
  Fixture& f = fixture_of<Fixture>(state);
  Connection line(f.port());
  const auto use = [&](int from, int to) {
    for (int i = from; i < to; i++) {
      const std::string query = "host=h&pool=deploy/" + std::to_string(i);
      assert_text(word(line, "/get?" + query), "YES");
      assert_text(word(line, "/release?" + query), "OK");
    }
  };
  use(0, 3000);
  const long before = f.daemon.rss_kib();
  use(3000, getenv("DISTRIBUTEX_TEST_ALL") != nullptr ? 1'000'000 : 15'000);
  const long grown = f.daemon.rss_kib() - before;
  assert_that(sanitized || grown < 1024, "it has grown by %ld KiB", grown);
}

}  // namespace
}  // namespace distributex::test

int main() {
  using namespace distributex::test;
  const CMUnitTest tests[] = {
      test_with(Fixture, a_made_pool_is_shown_under_its_pattern),
      test_with(Fixture, beyond_max_pools_is_unavailable_until_one_is_forgotten),
      test_with(Fixture, locks_of_made_pools_outlive_the_daemon),
      test_with(Fixture, a_waiter_of_a_frozen_pool_is_woken_by_the_thaw),
      test_with(Fixture, tokens_rise_over_forgetting),
      test_with(Fixture, forgotten_names_take_no_memory),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
