// SPDX-License-Identifier: MIT
// The door of Terraform and OpenTofu over raw sockets: methods that evhttp does not
// know, bodies as the clients send them, and connections that go on after each answer.
#include "lock/note.h"
#include "support/daemon.h"
#include "support/http.h"
#include "support/status.h"
#include "support/test.h"

namespace distributex::test {
namespace {

constexpr std::string_view pools = R"(max_body_size: 1000
pools:
  - name: prod
    expire: 0
  - name: team/net+1
    servers: ci1, ci2
  - name: two
    maxlocks: 2
  - name: env/*
)";

struct Fixture {
  Daemon daemon{pools};

  bool begin() { return daemon.start(); }
  bool finish() { return daemon.stop(); }
};

// As Terraform 1.x sends it.
std::string info(std::string_view id, std::string_view who = "ann@ci1") {
  return R"({"ID":")" + std::string(id) +
         R"(","Operation":"OperationTypeApply","Info":"","Who":")" + std::string(who) +
         R"(","Version":"1.9.8","Created":"2026-11-26T09:00:00.123456789Z","Path":""})";
}

std::string request(std::string_view method, std::string_view path, std::string_view body) {
  return std::string(method) + " " + std::string(path) + " HTTP/1.1\r\nHost: x\r\n" +
         "Content-Type: application/json\r\nContent-Length: " + std::to_string(body.size()) +
         "\r\n\r\n" + std::string(body);
}

Response ask(Connection& line, std::string_view method, std::string_view path,
             std::string_view body) {
  if (!line.send(request(method, path, body))) {
    return {};
  }
  return line.response(method == "HEAD").value_or(Response{});
}

Response ask(Fixture& f, std::string_view method, std::string_view path, std::string_view body) {
  Connection line(f.daemon.port());
  return ask(line, method, path, body);
}

// All seven members, texts, none missing: a client reads them into a struct.
void check_info(const Response& response, int status, std::string_view id, std::string_view who) {
  assert_int_equal(response.status, status);
  assert_text(response.header("Content-Type"), "application/json");
  const Json json = parse_json(response.body);
  assert_non_null(json.get());
  assert_int_equal(json_object_size(json.get()), 7);
  for (const char* key : {"ID", "Operation", "Info", "Who", "Version", "Created", "Path"}) {
    assert_true(json_is_string(json_object_get(json.get(), key)));
  }
  assert_text(json_text(json.get(), "ID"), id);
  assert_text(json_text(json.get(), "Who"), who);
  assert_int_equal(json_text(json.get(), "Created").size(), 30);
}

void check_ok(const Response& response) {
  assert_int_equal(response.status, 200);
  assert_text(response.body, "");
}

void locks_and_unlocks_over_one_connection(void** state) {
  Fixture& f = fixture_of<Fixture>(state);
  Connection line(f.daemon.port());
  struct Row {
    const char* lock;
    const char* unlock;
  };
  for (const Row& row : {Row{"LOCK", "UNLOCK"}, Row{"POST", "DELETE"}, Row{"PUT", "UNLOCK"}}) {
    check_ok(ask(line, row.lock, "/terraform/prod", info("1")));
    assert_text(holders_of(f.daemon.port(), "prod"), "ci1");
    check_ok(ask(line, row.lock, "/terraform/prod", info("1")));
    check_info(ask(line, row.lock, "/terraform/prod", info("2", "bob@ci2")), 423, "1", "ann@ci1");
    check_info(ask(line, row.unlock, "/terraform/prod", info("2", "bob@ci2")), 409, "1", "ann@ci1");
    check_info(ask(line, "GET", "/terraform/prod", ""), 200, "1", "ann@ci1");
    check_ok(ask(line, row.unlock, "/terraform/prod/", info("1")));
    check_ok(ask(line, row.unlock, "/terraform/prod", info("1")));
    assert_int_equal(ask(line, "GET", "/terraform/prod", "").status, 404);
    assert_text(word(line, "/livez"), "ok\n");
  }
}

void takes_methods_in_any_pieces_and_pipelined(void** state) {
  Fixture& f = fixture_of<Fixture>(state);
  Connection slow(f.daemon.port());
  for (const char byte : request("UNLOCK", "/terraform/prod", info("1")) +
                             request("LOCK", "/terraform/prod", info("1"))) {
    assert_true(slow.send(std::string_view(&byte, 1)));
  }
  check_ok(slow.response().value_or(Response{}));
  check_ok(slow.response().value_or(Response{}));
  Connection quick(f.daemon.port());
  std::string all;
  for (int i = 0; i < 20; ++i) {
    all += request("UNLOCK", "/terraform/prod", info("1"));
    all += request("LOCK", "/terraform/prod", info("1"));
    all += get_request("/livez");
    all += post_request("/get", "pool=prod&host=a");
  }
  assert_true(quick.send(all));
  for (int i = 0; i < 20; ++i) {
    check_ok(quick.response().value_or(Response{}));
    check_ok(quick.response().value_or(Response{}));
    assert_text(quick.response().value_or(Response{}).body, "ok\n");
    assert_text(quick.response().value_or(Response{}).body, "NO");
  }
  assert_true(quick.quiet());
}

// LOCK and UNLOCK are methods only at the beginning of a request.
void changes_nothing_but_the_method(void** state) {
  Fixture& f = fixture_of<Fixture>(state);
  Connection line(f.daemon.port());
  assert_true(line.send(post_request("/get", "LOCK /x HTTP/1.1\r\n&pool=two&host=UNLOCK ")));
  assert_text(line.response().value_or(Response{}).body, "YES");
  assert_text(word(line, "/release?pool=two&host=UNLOCK+"), "OK");
  assert_text(word(line, "/get?pool=two&host=LOCK%20"), "YES");
  check_ok(ask(line, "LOCK", "/terraform/two", "  " + info("UNLOCK LOCK POST", "LOCK @LOCK")));
  for (const char* method : {"LOCKS", "UNLOCKED", "LOC", "UNLOC", "lock", "Unlock", "XLOCK"}) {
    const Response response = ask(f, method, "/terraform/prod", "");
    assert_that(response.status == 405, "%s: %d", method, response.status);
  }
  for (const char* method : {"LOCK", "UNLOCK"}) {
    for (const char* path : {"/get?pool=prod&host=a", "/livez", "/v1/pre-reboot", "/status/"}) {
      assert_int_equal(ask(f, method, path, "").status, 405);
    }
    assert_int_equal(ask(f, method, "/nosuch", "").status, 404);
  }
  assert_text(holders_of(f.daemon.port(), "prod"), "");
}

void compares_ids_alone(void** state) {
  Fixture& f = fixture_of<Fixture>(state);
  check_ok(ask(f, "LOCK", "/terraform/prod", info("1")));
  check_ok(ask(f, "LOCK", "/terraform/prod", info("1", "somebody else")));
  check_ok(ask(f, "UNLOCK", "/terraform/prod",
               R"({"ID":"1","Operation":"","Info":"","Who":"","Version":"",)"
               R"("Created":"0001-01-01T00:00:00Z","Path":""})"));
  assert_text(holders_of(f.daemon.port(), "prod"), "");
  check_ok(ask(f, "LOCK", "/terraform/prod", R"({"ID":"9"})"));
  assert_text(holders_of(f.daemon.port(), "prod"), "terraform");
  check_info(ask(f, "GET", "/terraform/prod", ""), 200, "9", "");
  check_ok(ask(f, "DELETE", "/terraform/prod", R"({"ID":"9"})"));
}

void confirms_a_release_whose_answer_was_lost(void** state) {
  Fixture& f = fixture_of<Fixture>(state);
  check_ok(ask(f, "LOCK", "/terraform/prod", info("1")));
  check_ok(ask(f, "UNLOCK", "/terraform/prod", info("1")));
  check_ok(ask(f, "LOCK", "/terraform/prod", info("2")));
  check_ok(ask(f, "UNLOCK", "/terraform/prod", info("1")));
  check_info(ask(f, "UNLOCK", "/terraform/prod", info("3")), 409, "2", "ann@ci1");
  assert_text(holders_of(f.daemon.port(), "prod"), "ci1");
}

void tells_who_has_the_lock_through_another_door(void** state) {
  Fixture& f = fixture_of<Fixture>(state);
  const Response got = fetch(f.daemon.port(), "/get?pool=prod&host=web7&id=puppet");
  const std::string token = got.header("Distributex-Token");
  const Response no = ask(f, "LOCK", "/terraform/prod", info("1"));
  check_info(no, 423, token, "web7/puppet");
  assert_true(no.body.find("held through Distributex") != std::string::npos);
  check_info(ask(f, "UNLOCK", "/terraform/prod", info("1")), 409, token, "web7/puppet");
  assert_text(word(f.daemon.port(), "/release?pool=prod&host=web7&id=puppet"), "OK");
  check_ok(ask(f, "LOCK", "/terraform/prod", info("1")));
}

void unlocks_by_force_from_this_machine(void** state) {
  Fixture& f = fixture_of<Fixture>(state);
  check_ok(ask(f, "UNLOCK", "/terraform/prod", ""));
  check_ok(ask(f, "LOCK", "/terraform/prod", info("1")));
  check_ok(ask(f, "UNLOCK", "/terraform/prod", ""));
  assert_text(holders_of(f.daemon.port(), "prod"), "");
}

void tells_why_a_pool_is_frozen(void** state) {
  Fixture& f = fixture_of<Fixture>(state);
  Connection line(f.daemon.port());
  assert_true(line.send(post_request("/freeze", "pool=prod&reason=backup&by=ann")));
  assert_text(line.response().value_or(Response{}).body, "OK");
  const Response no = ask(f, "LOCK", "/terraform/prod", info("1"));
  assert_int_equal(no.status, 423);
  assert_true(no.body.find("\"Info\":\"backup\"") != std::string::npos);
  assert_true(line.send(post_request("/thaw", "pool=prod")));
  assert_text(line.response().value_or(Response{}).body, "OK");
  check_ok(ask(f, "LOCK", "/terraform/prod", info("1")));
}

// A pool by pattern is forgotten when its lock was given back.
void confirms_a_release_of_a_pool_that_is_gone(void** state) {
  Fixture& f = fixture_of<Fixture>(state);
  check_ok(ask(f, "LOCK", "/terraform/env/blue", info("1")));
  check_ok(ask(f, "UNLOCK", "/terraform/env/blue", info("1")));
  check_ok(ask(f, "UNLOCK", "/terraform/env/blue", info("1")));
  assert_int_equal(ask(f, "GET", "/terraform/env/blue", "").status, 404);
}

void finds_pools_by_their_paths(void** state) {
  Fixture& f = fixture_of<Fixture>(state);
  for (const char* path : {"/terraform/team/net+1", "/terraform/team%2Fnet%2B1"}) {
    check_ok(ask(f, "LOCK", path, info("1")));
    check_ok(ask(f, "UNLOCK", path, info("1")));
  }
  assert_int_equal(ask(f, "LOCK", "/terraform/team/net+1", info("1", "x@ci9")).status, 403);
  for (const char* method : {"LOCK", "UNLOCK", "GET"}) {
    const std::string body = method == std::string_view("GET") ? "" : info("1");
    assert_int_equal(ask(f, method, "/terraform/nosuch", body).status, 404);
    assert_int_equal(ask(f, method, "/terraform/%zz", body).status, 400);
    assert_int_equal(ask(f, method, "/terraform/", body).status, 404);
  }
}

void refuses_bodies_that_name_no_lock(void** state) {
  Fixture& f = fixture_of<Fixture>(state);
  Connection line(f.daemon.port());
  for (const std::string& body :
       {std::string("[]"), std::string("{}"), std::string("x"), std::string(R"({"ID":""})"),
        std::string(R"({"ID":7})"), std::string(R"({"ID":"a\n"})"), std::string(R"({"id":"1"})"),
        info(std::string(256, 'x')), info("1").substr(0, 60)}) {
    for (const char* method : {"LOCK", "UNLOCK", "POST", "DELETE"}) {
      assert_int_equal(ask(line, method, "/terraform/prod", body).status, 400);
    }
  }
  assert_int_equal(ask(line, "LOCK", "/terraform/prod", "").status, 400);
  assert_text(holders_of(f.daemon.port(), "prod"), "");
  check_ok(ask(line, "LOCK", "/terraform/prod", info("1")));
}

// Each door has a limit of its own. The daemon still reads a body that it refuses, or ends the
// connection.
void bounds_bodies_by_door(void** state) {
  Fixture& f = fixture_of<Fixture>(state);
  struct Row {
    const char* method;
    const char* path;
    size_t size;
    int status;
  };
  const Row rows[] = {
      {"LOCK", "/terraform/prod", 65536, 200},
      {"LOCK", "/terraform/prod", 65537, 413},
      {"UNLOCK", "/terraform/prod", 200000, 413},
      {"POST", "/get", 1001, 413},
      {"POST", "/get", 60000, 413},
      {"GET", "/livez", 1001, 413},
      {"POST", "/nosuch", 60000, 404},
  };
  for (const Row& row : rows) {
    Connection line(f.daemon.port());
    std::string body = info("1");
    body.resize(row.size, ' ');
    const Response response = ask(line, row.method, row.path, body);
    assert_that(response.status == row.status, "%s %s %zu: %d", row.method, row.path, row.size,
                response.status);
    if (row.status == 413) {
      assert_true(line.wait_end() != End::none);
    } else {
      assert_text(word(line, "/livez"), "ok\n");
    }
  }
}

void keeps_a_note_that_is_not_too_long(void** state) {
  Fixture& f = fixture_of<Fixture>(state);
  const std::string long_info =
      R"({"ID":"1","Who":"a@b","Operation":"apply","Info":")" + std::string(5000, 'i') + R"("})";
  check_ok(ask(f, "LOCK", "/terraform/prod", long_info));
  const Response response = ask(f, "GET", "/terraform/prod", "");
  check_info(response, 200, "1", "a@b");
  assert_true(response.body.size() < note_max);
  assert_true(response.body.find("\"apply\"") != std::string::npos);
}

// The same slot, seen from the pages: who came through which door.
void shows_doors_in_status_events_and_metrics(void** state) {
  Fixture& f = fixture_of<Fixture>(state);
  check_ok(ask(f, "LOCK", "/terraform/prod", info("1")));
  const std::string status = word(f.daemon.port(), "/status/?pool=prod");
  for (const char* member :
       {"\"door\":\"terraform\"", "\"who\":\"ann@ci1\"", "\"operation\":\"OperationTypeApply\""}) {
    assert_that(status.find(member) != status.npos, "%s is not in %s", member, status.c_str());
  }
  check_ok(ask(f, "UNLOCK", "/terraform/prod", info("1")));
  assert_text(word(f.daemon.port(), "/get?pool=prod&host=a"), "YES");
  assert_true(word(f.daemon.port(), "/status/?pool=prod").find("door") == std::string::npos);
  const std::string events = word(f.daemon.port(), "/events/?pool=prod");
  size_t told = 0;
  for (size_t at = 0; (at = events.find("\"door\":\"terraform\"", at)) != events.npos; ++at) {
    ++told;
  }
  assert_int_equal(told, 2);
  const std::string metrics = word(f.daemon.port(), "/metrics");
  assert_true(metrics.find("distributex_door_requests_total{door=\"terraform\"} 2\n") !=
              std::string::npos);
  assert_true(metrics.find("distributex_door_requests_total{door=\"plain\"} 1\n") !=
              std::string::npos);
}

void remembers_the_lock_info_over_a_restart(void**) {
  TempDir dir;
  Daemon daemon("backend: sqlite\nsqlitefile: " + dir.file("locks.db") +
                "\npools:\n  - name: prod\n    expire: 0\n");
  assert_true(daemon.start());
  const auto say = [&](std::string_view method, std::string_view body) {
    Connection line(daemon.port());
    return ask(line, method, "/terraform/prod", body);
  };
  check_ok(say("LOCK", info("1")));
  const std::string before = say("GET", "").body;
  daemon.kill_now();
  assert_true(daemon.restart());
  assert_text(say("GET", "").body, before);
  check_info(say("LOCK", info("2")), 423, "1", "ann@ci1");
  check_ok(say("LOCK", info("1")));
  check_ok(say("UNLOCK", info("1")));
  daemon.kill_now();
  assert_true(daemon.restart());
  assert_int_equal(say("GET", "").status, 404);
  check_ok(say("LOCK", info("2")));
  assert_true(daemon.stop());
}

}  // namespace
}  // namespace distributex::test

int main() {
  using namespace distributex::test;
  const CMUnitTest tests[] = {
      test_with(Fixture, locks_and_unlocks_over_one_connection),
      test_with(Fixture, takes_methods_in_any_pieces_and_pipelined),
      test_with(Fixture, changes_nothing_but_the_method),
      test_with(Fixture, compares_ids_alone),
      test_with(Fixture, confirms_a_release_whose_answer_was_lost),
      test_with(Fixture, tells_who_has_the_lock_through_another_door),
      test_with(Fixture, unlocks_by_force_from_this_machine),
      test_with(Fixture, tells_why_a_pool_is_frozen),
      test_with(Fixture, confirms_a_release_of_a_pool_that_is_gone),
      test_with(Fixture, finds_pools_by_their_paths),
      test_with(Fixture, refuses_bodies_that_name_no_lock),
      test_with(Fixture, bounds_bodies_by_door),
      test_with(Fixture, keeps_a_note_that_is_not_too_long),
      test_with(Fixture, shows_doors_in_status_events_and_metrics),
      cmocka_unit_test(remembers_the_lock_info_over_a_restart),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
