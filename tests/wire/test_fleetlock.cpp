// SPDX-License-Identifier: MIT
// FleetLock over the wire: what nodes that update themselves send, and what they must
// never hear: a status of success without a slot.
#include <algorithm>
#include <csignal>

#include "http/secrets.h"
#include "support/daemon.h"
#include "support/fleet.h"
#include "support/http.h"
#include "support/status.h"
#include "support/test.h"

namespace distributex::test {
namespace {

constexpr std::string_view pools = R"(pools:
  - name: workers
    fleetlock: true
    fleetlock_wait: 0
  - name: control_plane
    fleetlock: [masters, etcd.1]
    fleetlock_wait: 0
    expire: 0
  - name: patient
    fleetlock: true
  - name: two
    maxlocks: 2
    fleetlock: True
    fleetlock_wait: 0
    servers: n1, n2, n3
  - name: plain
  - name: brief
    fleetlock: true
    expire: 1
)";

struct Fixture {
  Daemon daemon{pools};

  bool begin() { return daemon.start(); }
  bool finish() { return daemon.stop(); }
};

struct Error {
  int status;
  const char* kind;
};

void check_error(const Response& response, const Error& wanted) {
  assert_int_equal(response.status, wanted.status);
  assert_text(response.header("Content-Type"), "application/json");
  const Json json = parse_json(response.body);
  assert_non_null(json.get());
  assert_text(json_text(json.get(), "kind"), wanted.kind);
  assert_true(!json_text(json.get(), "value").empty());
}

void check_success(const Response& response) {
  assert_int_equal(response.status, 200);
  assert_text(response.body, "");
}

Response post(Fixture& f, std::string_view target, std::string_view header, std::string_view body) {
  Connection line(f.daemon.port());
  assert_true(line.send("POST " + std::string(target) + " HTTP/1.1\r\nHost: x\r\n" +
                        std::string(header) + "Content-Length: " + std::to_string(body.size()) +
                        "\r\n\r\n" + std::string(body)));
  return line.response().value_or(Response{});
}

void takes_a_slot_once_and_gives_it_back(void** state) {
  Fixture& f = fixture_of<Fixture>(state);
  const uint16_t port = f.daemon.port();
  check_success(ask_fleet(port, "pre-reboot", "n1", "workers"));
  check_success(ask_fleet(port, "pre-reboot", "n1", "workers"));
  assert_text(holders_of(port, "workers"), "n1");
  const Response no = ask_fleet(port, "pre-reboot", "n2", "workers");
  check_error(no, {423, "lock_held"});
  assert_true(no.body.find("n1") != std::string::npos);
  check_success(ask_fleet(port, "steady-state", "n2", "workers"));
  assert_text(holders_of(port, "workers"), "n1");
  check_success(ask_fleet(port, "steady-state", "n1", "workers"));
  check_success(ask_fleet(port, "steady-state", "n1", "workers"));
  check_success(ask_fleet(port, "pre-reboot", "n2", "workers"));
}

void finds_the_pool_of_a_group(void** state) {
  Fixture& f = fixture_of<Fixture>(state);
  const uint16_t port = f.daemon.port();
  check_success(ask_fleet(port, "pre-reboot", "m1", "masters"));
  check_success(ask_fleet(port, "pre-reboot", "m1", "etcd.1"));
  check_error(ask_fleet(port, "pre-reboot", "m2", "etcd.1"), {423, "lock_held"});
  assert_text(holders_of(port, "control_plane"), "m1");
  for (const char* group : {"plain", "nosuch", "control", "true", "True"}) {
    check_error(ask_fleet(port, "pre-reboot", "m1", group), {400, "unknown_group"});
    check_error(ask_fleet(port, "steady-state", "m1", group), {400, "unknown_group"});
  }
}

void serves_both_places_of_its_paths(void** state) {
  Fixture& f = fixture_of<Fixture>(state);
  const std::string header = "Fleet-Lock-Protocol: TRUE\r\n";
  for (const char* path : {"/v1/pre-reboot", "/fleetlock/v1/pre-reboot", "//v1/pre-reboot/"}) {
    check_success(post(f, path, header, fleet_body("n1", "workers")));
  }
  for (const char* path : {"/v1/steady-state", "/fleetlock/v1/steady-state"}) {
    check_success(post(f, path, header, fleet_body("n1", "workers")));
  }
  assert_int_equal(post(f, "/fleetlock/v2/pre-reboot", header, "").status, 404);
}

void refuses_what_the_protocol_does_not_have(void** state) {
  Fixture& f = fixture_of<Fixture>(state);
  const std::string body = fleet_body("n1", "workers");
  const std::string header = "fleet-lock-protocol: true\r\n";
  const char* path = "/fleetlock/v1/pre-reboot";
  check_error(post(f, path, "", body), {400, "missing_header"});
  check_error(post(f, path, "fleet-lock-protocol: 1\r\n", body), {400, "missing_header"});
  check_error(post(f, path, header, "[]"), {400, "bad_request"});
  check_error(post(f, path, header, body.substr(0, 30)), {400, "bad_request"});
  check_error(post(f, path, header, fleet_body("", "workers")), {400, "bad_request"});
  check_error(post(f, path, header, fleet_body("n1", "a_b")), {400, "bad_request"});
  assert_text(holders_of(f.daemon.port(), "workers"), "");
  for (const char* method : {"GET", "PUT", "DELETE", "OPTIONS", "PATCH"}) {
    Connection line(f.daemon.port());
    assert_true(line.send(std::string(method) + " /v1/pre-reboot HTTP/1.1\r\nHost: x\r\n" + header +
                          "\r\n"));
    const Response response = line.response().value_or(Response{});
    check_error(response, {405, "method_not_allowed"});
    assert_text(response.header("Allow"), "POST");
  }
}

void refuses_a_host_that_the_pool_does_not_list(void** state) {
  Fixture& f = fixture_of<Fixture>(state);
  const uint16_t port = f.daemon.port();
  check_error(ask_fleet(port, "pre-reboot", "n9", "two"), {403, "forbidden"});
  check_success(ask_fleet(port, "pre-reboot", "n1", "two"));
  check_success(ask_fleet(port, "pre-reboot", "n2", "two"));
  check_error(ask_fleet(port, "pre-reboot", "n3", "two"), {423, "lock_held"});
}

void answers_no_success_to_a_body_that_is_too_large(void** state) {
  Fixture& f = fixture_of<Fixture>(state);
  for (const size_t size : {size_t{8300}, size_t{1} << 20}) {
    Connection line(f.daemon.port());
    std::string id(size, 'x');
    (void)line.send(fleet_request("pre-reboot", id, "workers"));
    const auto response = line.response();
    assert_true(!response || response->status == 413);
    assert_true(line.wait_end() != End::none);
  }
  assert_text(holders_of(f.daemon.port(), "workers"), "");
}

void keeps_the_connection_after_each_answer(void** state) {
  Fixture& f = fixture_of<Fixture>(state);
  Connection line(f.daemon.port());
  for (const char* step : {"pre-reboot", "pre-reboot", "steady-state", "pre-reboot"}) {
    assert_true(line.send(fleet_request(step, "n1", "workers")));
    check_success(line.response().value_or(Response{}));
  }
  assert_true(line.send(fleet_request("pre-reboot", "n2", "workers")));
  check_error(line.response().value_or(Response{}), {423, "lock_held"});
  assert_text(word(line, "/livez"), "ok\n");
}

void parks_a_node_in_the_line_with_all_others(void** state) {
  Fixture& f = fixture_of<Fixture>(state);
  const uint16_t port = f.daemon.port();
  assert_text(word(port, "/get?pool=patient&host=puppet"), "YES");
  Connection first(port);
  assert_true(first.send(fleet_request("pre-reboot", "n1", "patient")));
  assert_true(wait_for_waiting(port, "patient", 1));
  Connection second(port);
  assert_true(second.send(get_request("/wait?pool=patient&host=apply")));
  assert_true(wait_for_waiting(port, "patient", 2));
  assert_text(waiters_of(port, "patient"), "n1 apply");
  assert_text(word(port, "/release?pool=patient&host=puppet"), "OK");
  check_success(first.response().value_or(Response{}));
  check_success(ask_fleet(port, "steady-state", "n1", "patient"));
  assert_text(second.response().value_or(Response{}).body, "YES");
}

void says_that_the_backend_is_out_of_reach(void** state) {
  Fixture& f = fixture_of<Fixture>(state);
  assert_text(word(f.daemon.port(), "/get?pool=patient&host=puppet"), "YES");
  Connection line(f.daemon.port());
  assert_true(line.send(fleet_request("pre-reboot", "n1", "patient")));
  assert_true(wait_for_waiting(f.daemon.port(), "patient", 1));
  f.daemon.send_signal(SIGTERM);
  const Response response = line.response().value_or(Response{});
  check_error(response, {503, "backend_unavailable"});
  assert_text(response.header("Retry-After"), "1");
  assert_int_equal(f.daemon.wait_exit().value_or(-1), 0);
}

void warns_that_a_restart_would_forget_who_reboots(void** state) {
  Fixture& f = fixture_of<Fixture>(state);
  const auto lines = f.daemon.log_lines("fleetlock=unsafe");
  assert_int_equal(lines.size(), 5);
  assert_true(lines.front().find("pool=workers") != std::string::npos);
}

// The server itself is updated while a node is away.
void remembers_a_rebooting_node_over_a_restart(void**) {
  TempDir dir;
  Daemon daemon("backend: sqlite\nsqlitefile: " + dir.file("locks.db") +
                "\npools:\n  - name: workers\n    fleetlock: true\n    fleetlock_wait: 0\n");
  assert_true(daemon.start());
  assert_true(daemon.log_lines("fleetlock=unsafe").empty());
  check_success(ask_fleet(daemon.port(), "pre-reboot", "n1", "workers"));
  daemon.kill_now();
  assert_true(daemon.restart());
  check_error(ask_fleet(daemon.port(), "pre-reboot", "n2", "workers"), {423, "lock_held"});
  check_success(ask_fleet(daemon.port(), "pre-reboot", "n1", "workers"));
  check_success(ask_fleet(daemon.port(), "steady-state", "n1", "workers"));
  check_success(ask_fleet(daemon.port(), "pre-reboot", "n2", "workers"));
  assert_true(daemon.stop());
}

void shows_that_a_lock_came_through_this_door(void** state) {
  Fixture& f = fixture_of<Fixture>(state);
  const uint16_t port = f.daemon.port();
  check_success(ask_fleet(port, "pre-reboot", "n1", "workers"));
  const std::string status = word(port, "/status/?pool=workers");
  assert_true(status.find("\"door\":\"fleetlock\"") != std::string::npos);
  const std::string seen = fetch(port, "/terraform/workers").body;
  assert_that(seen.find("\"taken by fleetlock\"") != seen.npos, "%s", seen.c_str());
  check_success(ask_fleet(port, "pre-reboot", "n1", "brief"));
  const auto expired = f.daemon.wait_for_log("event=expired");
  assert_true(expired && expired->find(" door=fleetlock") != expired->npos);
}

// A lease of an older server has no note of the door, like one of the plain door.
void knows_a_lease_without_a_note_of_the_door(void** state) {
  Fixture& f = fixture_of<Fixture>(state);
  const uint16_t port = f.daemon.port();
  assert_text(word(port, "/get?pool=workers&host=n1"), "YES");
  const std::string token = fetch(port, "/get?pool=workers&host=n1").header("Distributex-Token");
  check_success(ask_fleet(port, "pre-reboot", "n1", "workers"));
  assert_text(holders_of(port, "workers"), "n1");
  assert_text(fetch(port, "/get?pool=workers&host=n1").header("Distributex-Token"), token);
  check_success(ask_fleet(port, "steady-state", "n1", "workers"));
  assert_text(holders_of(port, "workers"), "");
}

// What a client hears of groups that it may not lock, whether they exist or not: the group
// is a pool's own name, is one of another pool's list, or has no pool.
void tells_only_who_may_lock_whether_a_group_exists(void**) {
  const MadeSecret ci = *make_secret("ci");
  TempDir dir;
  write_file(dir.file("secrets"), ci.line + ":*\n");
  Daemon daemon("secrets: " + dir.file("secrets") +
                "\naccess: [{who: secret ci, pools: [\"tw*\"]}]\n" + std::string(pools));
  assert_true(daemon.start());
  const auto ask = [&](const char* step, const std::string& group, const std::string& header) {
    Connection line(daemon.port());
    std::string request = fleet_request(step, "n1", group);
    request.insert(request.find("Content-Type"), header);
    assert_true(line.send(request));
    return line.response().value_or(Response{});
  };
  const std::string proof = "Authorization: Bearer " + ci.secret + "\r\n";
  for (const char* step : {"pre-reboot", "steady-state"}) {
    for (const std::string group : {"workers", "masters", "nosuch"}) {
      Response response = ask(step, group, "");
      check_error(response, {401, "unauthorized"});
      assert_int_equal(response.count("WWW-Authenticate"), 2);
      const std::string about = "pool \\\"" + group + "\\\"";
      assert_that(response.body.find(about) != std::string::npos, "%s", response.body.c_str());
      response = ask(step, group, proof);
      check_error(response, {403, "forbidden"});
      assert_that(response.body.find(about) != std::string::npos, "%s", response.body.c_str());
    }
    check_error(ask(step, "twin", proof), {400, "unknown_group"});
    check_success(ask(step, "two", proof));
  }
  const auto line = daemon.wait_for_log("event=refused");
  assert_true(line && line->find("pool=workers host=n1") != line->npos);
  assert_true(daemon.stop());
}

// Each node reboots and comes back, then the next one reboots: exactly in the order in which
// they first asked.
void serves_two_hundred_nodes_in_the_order_of_their_arrival(void** state) {
  Fixture& f = fixture_of<Fixture>(state);
  const uint16_t port = f.daemon.port();
  constexpr size_t nodes = 200;
  std::vector<Connection> lines;
  for (size_t i = 0; i < nodes; ++i) {
    lines.emplace_back(port);
    assert_true(lines.back().send(fleet_request("pre-reboot", std::to_string(i), "patient")));
    if (i > 0) {
      assert_true(wait_for_waiting(port, "patient", i));
    } else {
      check_success(lines.back().response().value_or(Response{}));
    }
  }
  for (size_t i = 0; i < nodes; ++i) {
    if (i > 0) {
      check_success(lines[i].response().value_or(Response{}));
    }
    assert_true(std::all_of(lines.begin() + static_cast<ptrdiff_t>(i) + 1, lines.end(),
                            [](Connection& line) { return line.quiet(); }));
    assert_true(lines[i].send(fleet_request("steady-state", std::to_string(i), "patient")));
    check_success(lines[i].response().value_or(Response{}));
  }
  assert_text(holders_of(port, "patient"), "");
}

}  // namespace
}  // namespace distributex::test

int main() {
  using namespace distributex::test;
  const CMUnitTest tests[] = {
      test_with(Fixture, takes_a_slot_once_and_gives_it_back),
      test_with(Fixture, finds_the_pool_of_a_group),
      test_with(Fixture, serves_both_places_of_its_paths),
      test_with(Fixture, refuses_what_the_protocol_does_not_have),
      test_with(Fixture, refuses_a_host_that_the_pool_does_not_list),
      test_with(Fixture, answers_no_success_to_a_body_that_is_too_large),
      test_with(Fixture, keeps_the_connection_after_each_answer),
      test_with(Fixture, parks_a_node_in_the_line_with_all_others),
      test_with(Fixture, says_that_the_backend_is_out_of_reach),
      test_with(Fixture, warns_that_a_restart_would_forget_who_reboots),
      cmocka_unit_test(remembers_a_rebooting_node_over_a_restart),
      test_with(Fixture, shows_that_a_lock_came_through_this_door),
      test_with(Fixture, knows_a_lease_without_a_note_of_the_door),
      cmocka_unit_test(tells_only_who_may_lock_whether_a_group_exists),
      test_with(Fixture, serves_two_hundred_nodes_in_the_order_of_their_arrival),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
