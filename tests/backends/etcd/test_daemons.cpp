// SPDX-License-Identifier: MIT
// Two daemons over a real etcd of one member: a lock that one grants is held at both, a
// release at one wakes waiters of the other, one of them may die; and what they show in
// pages and metrics. Tests that take longer are in long_*.cpp.
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "support/client.h"
#include "support/etcdworld.h"
#include "support/metrics.h"

namespace distributex::test {
namespace {

// Every test starts the daemons; etcd starts once.
EtcdCluster* shared = nullptr;

struct Fixture : EtcdWorldFixture {
  bool begin() {
    static int tests = 0;
    const std::string own = "etcdprefix: \"t" + std::to_string(tests++) + "/\"\n";
    add_daemon(shared->hosts(), own);
    add_daemon(shared->hosts(), own);
    return true;
  }
  [[nodiscard]] std::vector<std::string> at_both(const std::vector<std::string>& more) const {
    std::vector<std::string> args = {
        "-H", "127.0.0.1:" + std::to_string(port(0)) + ",127.0.0.1:" + std::to_string(port(1)),
        "-r", "long"};
    args.insert(args.end(), more.begin(), more.end());
    return args;
  }
};

Fixture& of(void** state) { return fixture_of<Fixture>(state); }

uint64_t token_of(const Response& response) {
  return strtoull(response.header("Distributex-Token").c_str(), nullptr, 10);
}

void a_release_on_one_daemon_wakes_a_waiter_of_another(void** state) {
  Fixture& f = of(state);
  assert_text(word(f.port(0), "/get/?pool=long&host=a"), "YES");
  Connection waiter(f.port(1));
  assert_true(waiter.send(get_request("/wait/?pool=long&host=b")));
  assert_true(wait_for_waiting(f.port(1), "long", 1));
  // The second daemon's watch tells of the lease soon, but perhaps after the wait began.
  assert_true(eventually([&] { return holders_of(f.port(1), "long") == "a"; }));
  assert_text(word(f.port(0), "/release/?pool=long&host=a"), "OK");
  const auto response = waiter.response();
  assert_true(response && response->body == "YES");
  assert_true(eventually([&] { return holders_of(f.port(0), "long") == "b"; }));
}

void waiters_of_two_daemons_are_served_in_the_order_of_their_arrival(void** state) {
  Fixture& f = of(state);
  assert_text(word(f.port(0), "/get/?pool=long&host=holder"), "YES");
  std::vector<std::unique_ptr<Connection>> waiters;
  for (size_t i = 0; i < 6; i++) {
    const std::string host = "w" + std::to_string(i);
    waiters.push_back(std::make_unique<Connection>(f.port(i % 2)));
    assert_true(waiters.back()->send(get_request("/wait/?pool=long&host=" + host)));
    assert_true(wait_for_waiting(f.port(i % 2), "long", i / 2 + 1));
    // A daemon writes a ticket only for its first waiter. So wait until the clock has moved
    // on, that the next waiter's time is later than this one's.
    const double now = *json_number_at(parse_json(fetch(f.port(0), "/status/").body).get(), "time");
    assert_true(eventually([&] {
      return *json_number_at(parse_json(fetch(f.port(0), "/status/").body).get(), "time") >
             now + 0.01;
    }));
  }
  std::string holder = "holder";
  for (size_t i = 0; i < waiters.size(); i++) {
    assert_text(word(f.port(0), "/release/?pool=long&host=" + holder), "OK");
    const auto response = waiters[i]->response();
    assert_that(response && response->body == "YES", "waiter %zu was not next", i);
    holder = "w" + std::to_string(i);
  }
}

void locks_and_tokens_stay_when_a_daemon_is_killed(void** state) {
  Fixture& f = of(state);
  const std::string token = fetch(f.port(0), "/get/?pool=long&host=a").header("Distributex-Token");
  f.daemons[0]->kill_now();
  assert_text(word(f.port(1), "/get/?pool=long&host=b"), "NO");
  const Response held = fetch(f.port(1), "/get/?pool=long&host=a");
  assert_text(held.header("Distributex-Result"), "held");
  assert_text(held.header("Distributex-Token"), token);
  assert_true(f.daemons[0]->restart() && f.is_ready(0));
  assert_text(word(f.port(0), "/renew/?pool=long&host=a&token=" + token), "OK");
  assert_text(word(f.port(0), "/release/?pool=long&host=a&token=" + token), "OK");
  assert_true(token_of(fetch(f.port(1), "/get/?pool=long&host=b")) >
              strtoull(token.c_str(), nullptr, 10));
}

// The keeper of the lease is dead, so the other daemon ends the lease, later.
void a_lease_of_a_killed_daemon_ends(void** state) {
  Fixture& f = of(state);
  assert_text(word(f.port(0), "/get/?pool=mutex&host=a"), "YES");
  f.daemons[0]->kill_now();
  assert_text(word(f.port(1), "/wait/?pool=mutex&host=b"), "YES");
  assert_true(f.daemons[1]->wait_for_log("expired").has_value());
}

void a_running_command_survives_the_end_of_its_daemon(void** state) {
  Fixture& f = of(state);
  Client client(f.at_both({"--lease", "6", "--", "sleep", "1000"}));
  assert_true(f.daemons[0]->wait_for_log("granted").has_value());
  f.daemons[0]->kill_now();
  assert_true(f.daemons[1]->wait_for_log("renewed").has_value());
  assert_text(word(f.port(1), "/get/?pool=long&host=other"), "NO");
  client.send(SIGTERM);
  const Ended ended = client.finish();
  assert_int_equal(ended.code, died_by + SIGTERM);
  assert_text(ended.err, "");
  assert_text(word(f.port(1), "/get/?pool=long&host=other"), "YES");
}

void a_waiting_client_moves_to_the_other_daemon(void** state) {
  Fixture& f = of(state);
  assert_text(word(f.port(1), "/get/?pool=long&host=other"), "YES");
  Client client(f.at_both({"--", "echo", "ran"}));
  assert_true(wait_for_waiting(f.port(0), "long", 1));
  f.daemons[0]->kill_now();
  assert_true(wait_for_waiting(f.port(1), "long", 1));
  assert_text(word(f.port(1), "/release/?pool=long&host=other"), "OK");
  const Ended ended = client.finish();
  assert_int_equal(ended.code, 0);
  assert_text(ended.out, "ran\n");
}

Response post(uint16_t port, const std::string& target) {
  Connection line(port);
  assert_true(line.send(post_request(target, "")));
  return line.response().value_or(Response{});
}

// No grant comes from any daemon once one of them has answered that the pool is frozen.
void a_freeze_at_one_daemon_stops_all_and_outlives_them(void** state) {
  Fixture& f = of(state);
  assert_text(post(f.port(0), "/freeze?pool=lo*&reason=bad+release&by=ann").body, "OK");
  assert_text(word(f.port(1), "/get/?pool=long&host=a"), "NO");
  assert_text(word(f.port(0), "/get/?pool=long&host=a"), "NO");
  assert_text(word(f.port(1), "/get/?pool=sem&host=a"), "YES");
  f.daemons[0]->kill_now();
  f.daemons[1]->kill_now();
  assert_true(f.daemons[0]->restart() && f.daemons[1]->restart());
  assert_true(f.is_ready(0) && f.is_ready(1));
  for (size_t i = 0; i < 2; i++) {
    assert_text(word(f.port(i), "/get/?pool=long&host=a"), "NO");
    assert_non_null(strstr(fetch(f.port(i), "/status/?pool=long").body.c_str(), "bad release"));
  }
  Connection waiter(f.port(0));
  assert_true(waiter.send(get_request("/wait/?pool=long&host=b")));
  assert_true(wait_for_waiting(f.port(0), "long", 1));
  assert_text(post(f.port(1), "/thaw?pool=lo*").body, "OK");
  const auto response = waiter.response();
  assert_true(response && response->body == "YES");
}

void a_thaw_of_what_is_not_frozen_says_so(void** state) {
  const Response none = post(of(state).port(0), "/thaw?pool=long");
  assert_text(none.header("Distributex-Result"), "not-frozen");
}

// Both daemons are killed while the slot rests; then a waiter of the other daemon is next.
void a_rest_outlives_the_daemons_and_ends_on_all(void** state) {
  Fixture& f = of(state);
  const auto asked = std::chrono::steady_clock::now();
  assert_text(word(f.port(0), "/get/?pool=rests&host=a"), "YES");
  assert_text(word(f.port(0), "/release/?pool=rests&host=a"), "OK");
  assert_text(word(f.port(1), "/get/?pool=rests&host=b"), "NO");
  f.daemons[0]->kill_now();
  f.daemons[1]->kill_now();
  assert_true(f.daemons[0]->restart() && f.daemons[1]->restart());
  assert_true(f.is_ready(0) && f.is_ready(1));
  assert_text(word(f.port(0), "/get/?pool=rests&host=b"), "NO");
  assert_text(word(f.port(1), "/wait/?pool=rests&host=b"), "YES");
  assert_true(std::chrono::steady_clock::now() >= asked + std::chrono::seconds(4));
}

void failed_runs_at_both_daemons_are_counted_together(void** state) {
  Fixture& f = of(state);
  for (size_t i = 0; i < 3; i++) {
    assert_text(word(f.port(i % 2), "/get/?pool=counts&host=a"), "YES");
    assert_text(word(f.port(i % 2), "/release/?pool=counts&host=a&outcome=failed&status=1"), "OK");
  }
  assert_text(word(f.port(0), "/get/?pool=counts&host=a"), "NO");
  assert_text(word(f.port(1), "/get/?pool=counts&host=a"), "NO");
  assert_non_null(
      strstr(fetch(f.port(1), "/status/?pool=counts").body.c_str(), "3 runs failed in a row"));
}

void an_operator_evicts_at_any_daemon_and_a_waiter_of_another_is_next(void** state) {
  Fixture& f = of(state);
  const uint64_t token = token_of(fetch(f.port(0), "/get/?pool=long&host=a"));
  Connection waiter(f.port(0));
  assert_true(waiter.send(get_request("/wait/?pool=long&host=b")));
  assert_true(wait_for_waiting(f.port(0), "long", 1));
  const Response evicted =
      post(f.port(1), "/evict?pool=long&reason=r&token=" + std::to_string(token));
  assert_text(evicted.header("Distributex-Result"), "evicted");
  const auto response = waiter.response();
  assert_true(response && response->body == "YES");
  assert_true(f.daemons[1]->wait_for_log("evicted").has_value());
}

// The clock in etcd adds an entry every other second.
void a_grant_and_its_release_cost_etcd_two_entries(void** state) {
  Fixture& f = of(state);
  const auto entries = [] { return shared->metric(0, "etcd_server_proposals_applied_total"); };
  constexpr size_t pairs = 200;
  const double before = entries();
  for (size_t i = 0; i < pairs; i++) {
    assert_text(word(f.port(i % 2), "/get/?pool=long&host=a"), "YES");
    assert_text(word(f.port(i % 2), "/release/?pool=long&host=a"), "OK");
  }
  // No lease of etcd's own was made: those end early when the leader stood still.
  assert_true(shared->metric(0, "etcd_debugging_lease_granted_total") == 0);
  const double cost = (entries() - before) / pairs;
  assert_that(cost >= 2 && cost < 2.5, "%.3f entries a pair", cost);
}

// --- what a daemon tells ---

std::optional<double> waiting_elsewhere(uint16_t port, const std::string& pool) {
  const Json status = parse_json(fetch(port, "/status/?pool=" + pool).body);
  return json_number_at(json_array_get(json_object_get(status.get(), "pools"), 0),
                        "queued_elsewhere");
}

void status_tells_how_many_wait_at_other_daemons(void** state) {
  Fixture& f = of(state);
  assert_text(word(f.port(0), "/get/?pool=long&host=a"), "YES");
  {
    Connection waiter(f.port(1));
    assert_true(waiter.send(get_request("/wait/?pool=long&host=b")));
    assert_true(eventually([&] { return waiting_elsewhere(f.port(0), "long") == 1; }));
    assert_true(waiting_elsewhere(f.port(1), "long") == 0);
  }
  // When the waiter's client has left, the daemon's ticket goes, too.
  assert_true(eventually([&] { return waiting_elsewhere(f.port(0), "long") == 0; }));
}

void status_tells_which_member_is_asked(void** state) {
  Fixture& f = of(state);
  const Json status = parse_json(fetch(f.port(0), "/status/").body);
  const json_t* store = json_object_get(status.get(), "store");
  assert_text(json_text(status.get(), "backend"), "etcd");
  assert_text(json_text(store, "address"), shared->url(0));
  assert_null(json_object_get(store, "trouble"));
}

void metrics_are_sound_and_count(void** state) {
  Fixture& f = of(state);
  const double before =
      sample_of(f.port(0), "distributex_etcd_requests_total{result=\"answered\"}");
  assert_text(word(f.port(0), "/get/?pool=long&host=a"), "YES");
  assert_text(word(f.port(0), "/release/?pool=long&host=a"), "OK");
  const Samples after = samples_of(f.port(0));
  assert_true(after.at("distributex_etcd_requests_total{result=\"answered\"}") >= before + 2);
  assert_true(after.at("distributex_etcd_request_seconds_count") >= before + 2);
  for (const char* operation : {"acquire", "release", "upkeep"}) {
    assert_true(after.at("distributex_etcd_operations_total{operation=\"" + std::string(operation) +
                         "\"}") >= 1);
  }
  assert_true(after.at("distributex_etcd_operations_total{operation=\"renew\"}") == 0);
  assert_true(after.at("distributex_etcd_watches_total") >= 1);
  assert_true(after.contains("distributex_etcd_watch_behind_seconds"));
  assert_true(after.at("distributex_etcd_database_bytes") > 0);
  const auto complaint = promtool_complaint(fetch(f.port(0), "/metrics").body);
  assert_text(complaint.value_or(""), "");
}

void the_log_tells_of_the_member(void** state) {
  Fixture& f = of(state);
  const auto line = f.daemons[0]->wait_for_log("etcd: connected endpoint=");
  assert_true(line && line->find(shared->url(0)) != std::string::npos);
  assert_true(f.daemons[0]->wait_for_log("etcd: watch open revision=").has_value());
}

void needs_etcd(void**) { skip(); }

}  // namespace
}  // namespace distributex::test

int main() {
  using namespace distributex::test;
  if (!EtcdCluster::is_installed()) {
    const CMUnitTest none[] = {cmocka_unit_test(needs_etcd)};
    return cmocka_run_group_tests(none, nullptr, nullptr);
  }
  const CMUnitTest tests[] = {
      test_with(Fixture, a_release_on_one_daemon_wakes_a_waiter_of_another),
      test_with(Fixture, waiters_of_two_daemons_are_served_in_the_order_of_their_arrival),
      test_with(Fixture, locks_and_tokens_stay_when_a_daemon_is_killed),
      test_with(Fixture, a_lease_of_a_killed_daemon_ends),
      test_with(Fixture, a_running_command_survives_the_end_of_its_daemon),
      test_with(Fixture, a_waiting_client_moves_to_the_other_daemon),
      test_with(Fixture, a_freeze_at_one_daemon_stops_all_and_outlives_them),
      test_with(Fixture, a_thaw_of_what_is_not_frozen_says_so),
      test_with(Fixture, a_rest_outlives_the_daemons_and_ends_on_all),
      test_with(Fixture, failed_runs_at_both_daemons_are_counted_together),
      test_with(Fixture, an_operator_evicts_at_any_daemon_and_a_waiter_of_another_is_next),
      test_with(Fixture, a_grant_and_its_release_cost_etcd_two_entries),
      test_with(Fixture, status_tells_how_many_wait_at_other_daemons),
      test_with(Fixture, status_tells_which_member_is_asked),
      test_with(Fixture, metrics_are_sound_and_count),
      test_with(Fixture, the_log_tells_of_the_member),
  };
  EtcdCluster etcd(1);
  if (!etcd.start()) {
    return 1;
  }
  shared = &etcd;
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
