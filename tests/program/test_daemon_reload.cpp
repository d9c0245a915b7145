// SPDX-License-Identifier: MIT
// SIGHUP: the pools change under clients that hold and wait, and nobody loses
// anything but what the new file takes away; a broken file changes nothing.
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#include "support/daemon.h"
#include "support/http.h"
#include "support/status.h"
#include "support/test.h"

namespace distributex::test {
namespace {

constexpr std::string_view two_slots = R"(pools:
  - name: one
    maxlocks: 2
    expire: 100
  - name: kept
)";

struct Fixture {
  Daemon daemon{two_slots};
  Connection control;

  bool begin() {
    if (!daemon.start()) {
      return false;
    }
    control = Connection(daemon.port());
    return control.connected();
  }
  bool finish() { return daemon.stop(); }

  std::string word(std::string_view target) { return test::word(control, target); }
  bool reload(std::string_view yaml) {
    const std::optional<std::string> line = daemon.reload(yaml);
    return line && line->find("reloaded pools=") != line->npos;
  }
  Connection park(const std::string& pool, const std::string& host) {
    const size_t before = pool_state(daemon.port(), pool).waiting.size();
    Connection waiter(daemon.port());
    assert_true(waiter.send(get_request("/wait?pool=" + pool + "&host=" + host)));
    assert_true(wait_for_waiting(daemon.port(), pool, before + 1));
    return waiter;
  }
  // Both slots of one are taken, by a and by b.
  void take_both() {
    assert_text(word("/get?pool=one&host=a"), "YES");
    assert_text(word("/get?pool=one&host=b"), "YES");
  }
};

void adds_new_pools(void** state) {
  Fixture& f = fixture_of<Fixture>(state);
  assert_text(f.word("/get?pool=fresh&host=a"), "INVALID");
  assert_true(f.reload(std::string(two_slots) + "  - name: fresh\n    expire: 7\n"));
  const Response granted = fetch(f.control, "/get?pool=fresh&host=a");
  assert_text(granted.body, "YES");
  assert_true(strtod(granted.header("Distributex-Expires").c_str(), nullptr) <= 7);
  assert_text(f.word("/get?pool=kept&host=a"), "YES");
}

void keeps_leases_and_waiters_of_a_changed_pool(void** state) {
  Fixture& f = fixture_of<Fixture>(state);
  const std::string token = fetch(f.control, "/get?pool=one&host=a").header("Distributex-Token");
  assert_text(f.word("/get?pool=one&host=b"), "YES");
  Connection c = f.park("one", "c");
  Connection d = f.park("one", "d");
  assert_true(f.reload("pools:\n  - name: kept\n  - name: one\n    maxlocks: 2\n    expire: 50\n"));
  assert_true(c.quiet() && d.quiet());
  assert_text(waiters_of(f.daemon.port(), "one"), "c d");
  const Response held = fetch(f.control, "/get?pool=one&host=a");
  assert_text(held.header("Distributex-Token"), token);
  assert_true(strtod(held.header("Distributex-Expires").c_str(), nullptr) > 50);
  assert_text(f.word("/release?pool=one&host=a"), "OK");
  const Response granted = c.response().value_or(Response{});
  assert_text(granted.body, "YES");
  assert_true(strtod(granted.header("Distributex-Expires").c_str(), nullptr) <= 50);
  assert_true(d.quiet());
}

void stops_only_new_grants_when_slots_become_fewer(void** state) {
  Fixture& f = fixture_of<Fixture>(state);
  f.take_both();
  Connection c = f.park("one", "c");
  assert_true(f.reload("pools:\n  - name: one\n    expire: 100\n  - name: kept\n"));
  assert_text(f.word("/get?pool=one&host=a"), "YES");
  assert_text(f.word("/renew?pool=one&host=b"), "OK");
  assert_text(f.word("/release?pool=one&host=a"), "OK");
  assert_text(f.word("/get?pool=one&host=z"), "NO");
  assert_text(f.word("/get?pool=one&host=b"), "YES");
  assert_true(c.quiet());
  assert_text(f.word("/release?pool=one&host=b"), "OK");
  assert_text(c.response()->body, "YES");
  assert_text(f.word("/get?pool=one&host=z"), "NO");
}

void serves_the_line_when_slots_become_more(void** state) {
  Fixture& f = fixture_of<Fixture>(state);
  f.take_both();
  Connection c = f.park("one", "c");
  Connection d = f.park("one", "d");
  Connection e = f.park("one", "e");
  assert_true(f.reload("pools:\n  - name: one\n    maxlocks: 4\n  - name: kept\n"));
  assert_text(c.response()->body, "YES");
  assert_text(d.response()->body, "YES");
  assert_text(waiters_of(f.daemon.port(), "one"), "e");
  assert_true(e.quiet());
}

void answers_invalid_to_the_waiters_of_a_removed_pool(void** state) {
  Fixture& f = fixture_of<Fixture>(state);
  f.take_both();
  Connection c = f.park("one", "c");
  Connection d = f.park("one", "d");
  assert_text(f.word("/get?pool=kept&host=h"), "YES");
  Connection kept = f.park("kept", "k");
  assert_true(f.reload("pools:\n  - name: kept\n"));
  for (Connection* waiter : {&c, &d}) {
    const Response response = waiter->response().value_or(Response{});
    assert_int_equal(response.status, 200);
    assert_text(response.body, "INVALID");
    assert_text(response.header("Distributex-Result"), "invalid");
    assert_false(response.header("Distributex-Error").empty());
  }
  for (const char* verb : {"get", "wait", "release", "renew"}) {
    assert_text(f.word(std::string("/") + verb + "?pool=one&host=a"), "INVALID");
  }
  assert_true(kept.quiet());
  assert_text(f.word("/release?pool=kept&host=h"), "OK");
  assert_text(kept.response()->body, "YES");
}

void changes_nothing_on_a_broken_file(void** state) {
  Fixture& f = fixture_of<Fixture>(state);
  f.take_both();
  Connection c = f.park("one", "c");
  struct Row {
    const char* yaml;
    const char* place;
  };
  const Row rows[] = {
      {"pools:\n  - name: other\n    maxlocks: 0\n", ":3:15: "},
      {"pools:\n  - name: other\nnonsense: 1\n", ":3:1: "},
      {"pools: [", ":"},
      {"", ":"},
  };
  for (const Row& row : rows) {
    const std::string line = f.daemon.reload(row.yaml).value_or("");
    const std::string wanted = "reload refused: " + f.daemon.config_path() + row.place;
    assert_that(line.find(wanted) != line.npos, "no %s in %s", wanted.c_str(), line.c_str());
    assert_text(f.word("/get?pool=other&host=z"), "INVALID");
    assert_text(holders_of(f.daemon.port(), "one"), "a b");
    assert_text(waiters_of(f.daemon.port(), "one"), "c");
  }
  assert_int_equal(unlink(f.daemon.config_path().c_str()), 0);
  f.daemon.forget_log();
  f.daemon.send_signal(SIGHUP);
  assert_true(f.daemon.wait_for_log("reload refused: ").has_value());
  assert_true(c.quiet());
  assert_text(f.word("/release?pool=one&host=a"), "OK");
  assert_text(c.response()->body, "YES");
  assert_true(f.reload("pools:\n  - name: one\n"));
}

void asks_the_new_list_who_may_have_a_lock(void** state) {
  Fixture& f = fixture_of<Fixture>(state);
  assert_text(f.word("/get?pool=kept&host=a"), "YES");
  assert_true(f.reload("pools:\n  - name: kept\n    servers: b\n"));
  assert_text(f.word("/get?pool=kept&host=a"), "INVALID");
  assert_text(f.word("/get?pool=kept&host=b"), "NO");
  assert_text(holders_of(f.daemon.port(), "kept"), "a");
  assert_true(f.reload("pools:\n  - name: kept\n    servers: a, b\n"));
  assert_text(f.word("/release?pool=kept&host=a"), "OK");
  assert_text(f.word("/get?pool=kept&host=b"), "YES");
}

// A host that is no longer listed must be able to give back a lock that never ends.
void host_taken_off_the_list_renews_and_gives_back_what_it_holds(void** state) {
  Fixture& f = fixture_of<Fixture>(state);
  assert_true(f.reload("pools:\n  - name: kept\n    expire: 0\n    servers: a\n"));
  const std::string token = fetch(f.control, "/get?pool=kept&host=a").header("Distributex-Token");
  assert_true(f.reload("pools:\n  - name: kept\n    expire: 0\n    servers: b\n"));
  assert_text(f.word("/wait?pool=kept&host=a"), "INVALID");
  assert_text(f.word("/renew?pool=kept&host=a&token=" + token), "OK");
  assert_text(f.word("/get?pool=kept&host=b"), "NO");
  const Response released = fetch(f.control, "/release?pool=kept&host=a&token=" + token);
  assert_text(released.header("Distributex-Result"), "released");
  assert_text(f.word("/get?pool=kept&host=b"), "YES");
}

void bears_many_signals_and_takes_the_last_file(void** state) {
  Fixture& f = fixture_of<Fixture>(state);
  f.take_both();
  Connection c = f.park("one", "c");
  for (int i = 0; i < 30; ++i) {
    f.daemon.send_signal(SIGHUP);
  }
  assert_true(f.reload(std::string(two_slots) + "  - name: last\n"));
  assert_true(eventually([&] { return f.word("/get?pool=last&host=a") == "YES"; }));
  assert_true(c.quiet());
  assert_text(f.word("/release?pool=one&host=b"), "OK");
  assert_text(c.response()->body, "YES");
}

void says_what_only_a_restart_changes_and_runs_on_as_before(void** state) {
  Fixture& f = fixture_of<Fixture>(state);
  const std::string yaml = "backend: memcache\nlisten: 127.0.0.1:1\n" + std::string(two_slots);
  for (int i = 0; i < 2; ++i) {
    assert_true(f.reload(yaml));  // -l overrides listen, so listen is not named
    const std::string line = f.daemon.wait_for_log("only a restart changes ").value_or("");
    const std::string end = "only a restart changes backend from \"inmemory\" to \"memcache\"";
    assert_that(line.ends_with(end), "%s", line.c_str());
    const Json status = parse_json(fetch(f.daemon.port(), "/status/").body);
    assert_text(json_text(status.get(), "backend"), "inmemory");
    f.daemon.forget_log();
  }
  assert_true(f.reload(two_slots));
  assert_int_equal(f.daemon.log_lines("only a restart").size(), 0);
}

}  // namespace
}  // namespace distributex::test

int main() {
  using namespace distributex::test;
  const CMUnitTest tests[] = {
      test_with(Fixture, adds_new_pools),
      test_with(Fixture, keeps_leases_and_waiters_of_a_changed_pool),
      test_with(Fixture, stops_only_new_grants_when_slots_become_fewer),
      test_with(Fixture, serves_the_line_when_slots_become_more),
      test_with(Fixture, answers_invalid_to_the_waiters_of_a_removed_pool),
      test_with(Fixture, changes_nothing_on_a_broken_file),
      test_with(Fixture, asks_the_new_list_who_may_have_a_lock),
      test_with(Fixture, host_taken_off_the_list_renews_and_gives_back_what_it_holds),
      test_with(Fixture, bears_many_signals_and_takes_the_last_file),
      test_with(Fixture, says_what_only_a_restart_changes_and_runs_on_as_before),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
