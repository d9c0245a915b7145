// SPDX-License-Identifier: MIT
// A session over real connections, and the metrics that it must have left:
// exactly these and no others.
#include "support/daemon.h"
#include "support/http.h"
#include "support/metrics.h"
#include "support/status.h"
#include "support/test.h"

namespace distributex::test {
namespace {

constexpr std::string_view pools = R"(pools:
  - name: one
    maxlocks: 1
  - name: two
    maxlocks: 2
  - name: short
    expire: 1
  - name: closed
    servers: somebody
)";

struct Fixture {
  Daemon daemon{pools};
  Connection control;

  bool begin() {
    if (!daemon.start()) {
      return false;
    }
    control = Connection(daemon.port());
    return control.connected();
  }
  bool finish() { return daemon.stop(); }
  uint16_t port() const { return daemon.port(); }
  std::string word(std::string_view target) { return test::word(control, target); }
};

// Samples that differ from run to run are not compared.
bool is_of_the_moment(std::string_view name) {
  for (const char* part : {"_seconds", "build_info", "connections", "log_dropped"}) {
    if (name.find(part) != std::string_view::npos && !name.ends_with("_count")) {
      return true;
    }
  }
  return false;
}

std::string all_but_zero(const Samples& samples) {
  std::string text;
  for (const auto& [name, value] : samples) {
    if (value == 0 || is_of_the_moment(name)) {
      continue;
    }
    text += name.substr(sizeof "distributex_" - 1) + " " + std::to_string(static_cast<int>(value)) +
            "\n";
  }
  return text;
}

void play_session(Fixture& f) {
  assert_text(f.word("/get?pool=one&host=a"), "YES");
  assert_text(f.word("/get?pool=one&host=a"), "YES");
  assert_text(f.word("/get?pool=one&host=b"), "NO");
  assert_text(f.word("/wait?pool=one&host=b&timeout=0.01"), "NO");
  assert_text(f.word("/renew?pool=one&host=a"), "OK");
  assert_text(f.word("/renew?pool=one&host=b"), "NO");
  assert_text(f.word("/release?pool=one&host=b"), "OK");
  assert_text(f.word("/get?pool=two&host=a"), "YES");
  assert_text(f.word("/get?pool=nosuch&host=a"), "INVALID");
  assert_text(f.word("/get?pool=closed&host=a"), "INVALID");
  assert_text(f.word("/wait?pool=one"), "INVALID");
  assert_text(f.word("/nothing/here"), "INVALID");
  assert_int_equal(fetch(f.control, "/status/").status, 200);

  Connection leaver(f.port());
  assert_true(leaver.send(get_request("/wait?pool=one&host=leaver")));
  assert_true(wait_for_waiting(f.port(), "one", 1));
  leaver.close();
  assert_true(wait_for_waiting(f.port(), "one", 0));

  Connection waiter(f.port());
  assert_true(waiter.send(get_request("/wait?pool=one&host=waiter")));
  assert_true(wait_for_waiting(f.port(), "one", 1));
  assert_text(f.word("/release?pool=one&host=a"), "OK");
  assert_text(waiter.response().value_or(Response{}).body, "YES");

  assert_text(f.word("/get?pool=short&host=a"), "YES");
  assert_true(wait_for_holders(f.port(), "short", 0));
  Connection last(f.port());
  assert_true(last.send(get_request("/wait?pool=one&host=last")));
  assert_true(wait_for_waiting(f.port(), "one", 1));
  // Stays parked until the test has read the metrics; the daemon's end ends it.
  static Connection parked;
  parked = std::move(last);
}

constexpr std::string_view expected =
    "backend_latency_seconds_count 14\n"
    "backend_up 1\n"
    "cancelled_waits_total 1\n"
    "door_requests_total{door=\"plain\"} 17\n"
    "expiries_total 1\n"
    "grants_total 4\n"
    "hold_seconds_count 2\n"
    "pool_held{pool=\"one\"} 1\n"
    "pool_held{pool=\"two\"} 1\n"
    "pool_slots{pool=\"closed\"} 1\n"
    "pool_slots{pool=\"one\"} 1\n"
    "pool_slots{pool=\"short\"} 1\n"
    "pool_slots{pool=\"two\"} 2\n"
    "pool_waiting{pool=\"one\"} 1\n"
    "releases_total 1\n"
    "requests_total{verb=\"get\",result=\"busy\"} 1\n"
    "requests_total{verb=\"get\",result=\"granted\"} 3\n"
    "requests_total{verb=\"get\",result=\"held\"} 1\n"
    "requests_total{verb=\"get\",result=\"invalid\"} 2\n"
    "requests_total{verb=\"release\",result=\"not-held\"} 1\n"
    "requests_total{verb=\"release\",result=\"released\"} 1\n"
    "requests_total{verb=\"renew\",result=\"lost\"} 1\n"
    "requests_total{verb=\"renew\",result=\"renewed\"} 1\n"
    "requests_total{verb=\"wait\",result=\"granted\"} 1\n"
    "requests_total{verb=\"wait\",result=\"invalid\"} 1\n"
    "requests_total{verb=\"wait\",result=\"timeout\"} 1\n"
    "stray_requests_total 1\n"
    "wait_seconds_count 1\n"
    "waiting_requests 1\n";

void session_leaves_exactly_these_metrics(void** state) {
  Fixture& f = fixture_of<Fixture>(state);
  play_session(f);
  const Response page = fetch(f.control, "/metrics");
  assert_int_equal(page.status, 200);
  assert_text(page.header("Content-Type"), "text/plain; version=0.0.4; charset=utf-8");
  assert_text(page.header("Cache-Control"), "no-store");
  auto samples = read_samples(page.body);
  assert_true(samples.has_value());
  // The test has polled pages, an unknown number of times.
  assert_int_equal(samples->erase("distributex_door_requests_total{door=\"pages\"}"), 1);
  assert_text(all_but_zero(*samples), expected);
  const auto value = [&](const char* name) {
    return samples->at(std::string{"distributex_"} + name);
  };
  assert_true(value("uptime_seconds") > 0);
  assert_true(value("connections") >= 2);
  assert_true(value("pool_oldest_waiter_seconds{pool=\"one\"}") >= 0);
  assert_true(value("pool_longest_holder_seconds{pool=\"two\"}") > 0);
  // The sum has the lease of a second, and one that was released before.
  assert_true(value("hold_seconds_sum") >= 1);
  const auto complaint = promtool_complaint(page.body);
  if (!complaint) {
    print_message("promtool is missing: apt-get install prometheus\n");
    skip();
  }
  assert_text(*complaint, "");
}

void no_host_becomes_a_label(void** state) {
  Fixture& f = fixture_of<Fixture>(state);
  const size_t before = samples_of(f.port()).size();
  for (int i = 0; i < 50; ++i) {
    const std::string host = "&host=label" + std::to_string(i);
    assert_false(f.word("/get?pool=one" + host).empty());
    assert_text(f.word("/get?pool=made-up" + std::to_string(i) + host), "INVALID");
  }
  const std::string page = word(f.port(), "/metrics");
  assert_true(page.find("label") == std::string::npos && page.find("made-up") == std::string::npos);
  assert_int_equal(read_samples(page).value_or(Samples{}).size(), before);
}

void reload_changes_the_pools_and_keeps_the_counts(void** state) {
  Fixture& f = fixture_of<Fixture>(state);
  assert_text(f.word("/get?pool=one&host=a"), "YES");
  assert_true(f.daemon.reload("pools:\n  - name: new\n    maxlocks: 5\n").has_value());
  const Samples samples = samples_of(f.port());
  assert_false(samples.contains("distributex_pool_slots{pool=\"one\"}"));
  assert_true(samples.at("distributex_pool_slots{pool=\"new\"}") == 5);
  assert_true(samples.at("distributex_grants_total") == 1);
}

void answers_head_and_options(void** state) {
  Fixture& f = fixture_of<Fixture>(state);
  assert_true(f.control.send("HEAD /metrics HTTP/1.1\r\nHost: x\r\n\r\n"));
  const Response head = f.control.response(true).value_or(Response{});
  assert_int_equal(head.status, 200);
  assert_text(head.header("Content-Type"), "text/plain; version=0.0.4; charset=utf-8");
  assert_true(f.control.send("OPTIONS /metrics/ HTTP/1.1\r\nHost: x\r\n\r\n"));
  const Response options = f.control.response().value_or(Response{});
  assert_text(options.header("Allow"), "GET, HEAD, OPTIONS");
  assert_text(f.word("/livez"), "ok\n");
}

}  // namespace
}  // namespace distributex::test

int main() {
  using namespace distributex::test;
  const CMUnitTest tests[] = {
      test_with(Fixture, session_leaves_exactly_these_metrics),
      test_with(Fixture, no_host_becomes_a_label),
      test_with(Fixture, reload_changes_the_pools_and_keeps_the_counts),
      test_with(Fixture, answers_head_and_options),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
