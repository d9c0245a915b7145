// SPDX-License-Identifier: MIT
// The audit trail that real requests leave in the daemon's log, and the page
// for people at /. How a line is put together is in test_audit.cpp.
#include <algorithm>

#include "support/daemon.h"
#include "support/fleet.h"
#include "support/http.h"
#include "support/status.h"
#include "support/test.h"

namespace distributex::test {
namespace {

constexpr std::string_view pools = R"(pools:
  - name: one
)";

struct Fixture {
  Daemon daemon{pools};

  bool begin() { return daemon.start(); }
  bool finish() { return daemon.stop(); }
  uint16_t port() const { return daemon.port(); }
  std::string word(std::string_view target) { return test::word(port(), target); }
};

// The fields of a line from "event=" on, without those that change.
std::string steady_part(std::string line) {
  line.erase(0, line.find("event="));
  std::string kept;
  while (!line.empty()) {
    const size_t end = std::min(line.find(' '), line.size());
    const std::string field = line.substr(0, end);
    line.erase(0, std::min(end + 1, line.size()));
    const std::string key = field.substr(0, field.find('='));
    const bool changes =
        key == "time" || key == "token" || key == "waited" || key == "held" || key == "peer";
    kept += (kept.empty() ? "" : " ") + (changes ? key : field);
  }
  return kept;
}

std::string trail_of(Daemon& daemon) {
  std::string trail;
  for (const std::string& line : daemon.log_lines("event=")) {
    trail += steady_part(line) + "\n";
  }
  return trail;
}

void leaves_a_line_for_each_event(void** state) {
  Fixture& f = fixture_of<Fixture>(state);
  assert_text(f.word("/get?pool=one&host=a&id=run"), "YES");
  assert_text(f.word("/get?pool=one&host=a&id=run"), "YES");
  assert_text(f.word("/get?pool=one&host=b"), "NO");
  assert_text(f.word("/wait?pool=one&host=b&timeout=0.01"), "NO");
  assert_text(f.word("/renew?pool=one&host=a&id=run"), "OK");
  assert_text(f.word("/renew?pool=one&host=b"), "NO");
  assert_text(f.word("/release?pool=one&host=a&id=run"), "OK");
  assert_text(f.word("/release?pool=one&host=a&id=run"), "OK");
  assert_text(f.word("/get?pool=none&host=b"), "INVALID");
  assert_text(f.word("/get?pool=one"), "INVALID");
  assert_text(f.word("/nothing"), "INVALID");
  Connection waiter(f.port());
  assert_text(f.word("/get?pool=one&host=a&expire=1"), "YES");
  assert_true(waiter.send(get_request("/wait?pool=one&host=c")));
  assert_true(wait_for_waiting(f.port(), "one", 1));
  waiter.close();
  assert_true(f.daemon.wait_for_log("event=expired").has_value());
  assert_text(trail_of(f.daemon),
              "event=granted time pool=one host=a id=run token waited peer\n"
              "event=busy time pool=one host=b waited peer\n"
              "event=timeout time pool=one host=b waited peer\n"
              "event=lost time pool=one host=b peer\n"
              "event=released time pool=one host=a id=run token held peer\n"
              "event=refused time verb=get pool=none host=b peer error=\"there is no pool "
              "\\x22none\\x22 on this server\"\n"
              "event=refused time verb=get peer error=\"parameter \\x22host\\x22 is missing\"\n"
              "event=granted time pool=one host=a token waited peer\n"
              "event=cancelled time pool=one host=c waited peer\n"
              "event=expired time pool=one host=a token held\n");
}

// A door refuses some requests before the engine sees a command.
void names_the_door_and_the_pool_of_a_refusal(void** state) {
  Fixture& f = fixture_of<Fixture>(state);
  (void)ask_fleet(f.port(), "pre-reboot", "n1", "nosuch");
  Connection line(f.port());
  for (const char* request :
       {"POST /v1/steady-state HTTP/1.1\r\nHost: x\r\nfleet-lock-protocol: true\r\n"
        "Content-Length: 2\r\n\r\n[]",
        "LOCK /terraform/one HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n{}",
        "LOCK /terraform/one HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\n{\"ID\":\"1\"}",
        "UNLOCK /terraform/one HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\n{\"ID\":\"2\"}",
        "GET /hold?pool=one HTTP/1.1\r\nHost: x\r\n\r\n"}) {
    assert_true(line.send(request));
    assert_true(line.response().has_value());
  }
  assert_true(f.daemon.wait_for_log("\\x22host\\x22 is missing").has_value());
  assert_text(
      trail_of(f.daemon),
      "event=refused time verb=wait host=n1 peer door=fleetlock error=\"no pool of this "
      "server serves the group \\x22nosuch\\x22\"\n"
      "event=refused time verb=release peer door=fleetlock error=\"the body is JSON, but no "
      "object\"\n"
      "event=refused time verb=wait pool=one peer door=terraform error=\"there is no "
      "\\x22ID\\x22, a text that is not empty\"\n"
      "event=granted time pool=one host=terraform id=1 token waited peer door=terraform\n"
      "event=refused time verb=release pool=one id=2 peer door=terraform error=\"another ID "
      "has the lock\"\n"
      "event=refused time verb=wait peer door=hold error=\"parameter \\x22host\\x22 is "
      "missing\"\n");
  const std::string events = f.word("/events/?pool=one");
  assert_that(events.find("\"event\":\"refused\"") < events.find("\"event\":\"granted\""), "%s",
              events.c_str());
}

void verbose_log_tells_everyday_answers_too(void** state) {
  Fixture& f = fixture_of<Fixture>(state);
  assert_true(f.daemon.stop());
  assert_true(f.daemon.start({.args = {"-v", "-l", "127.0.0.1:0"}}));
  assert_text(f.word("/get?pool=one&host=a"), "YES");
  assert_text(f.word("/get?pool=one&host=a"), "YES");
  assert_text(f.word("/renew?pool=one&host=a"), "OK");
  assert_text(f.word("/release?pool=one&host=b"), "OK");
  assert_true(f.daemon.wait_for_log("event=not-held").has_value());
  assert_text(trail_of(f.daemon),
              "event=granted time pool=one host=a token waited peer\n"
              "event=held time pool=one host=a token peer\n"
              "event=renewed time pool=one host=a token peer\n"
              "event=not-held time pool=one host=b peer\n");
}

void can_be_turned_off_and_on(void** state) {
  Fixture& f = fixture_of<Fixture>(state);
  assert_true(f.daemon.reload("audit: off\n" + std::string(pools)).has_value());
  assert_text(f.word("/get?pool=one&host=a"), "YES");
  assert_true(f.daemon.reload(pools).has_value());
  assert_text(f.word("/release?pool=one&host=a"), "OK");
  assert_true(f.daemon.wait_for_log("event=released").has_value());
  assert_true(f.daemon.log_lines("event=granted").empty());
  assert_true(f.word("/events/").find("\"granted\"") != std::string::npos);
}

void names_the_clients_address(void** state) {
  Fixture& f = fixture_of<Fixture>(state);
  assert_true(f.daemon.stop());
  const std::string path = "unix:" + f.daemon.dir().file("socket");
  assert_true(f.daemon.start({.args = {"-l", "127.0.0.1:0", "-l", "[::1]:0", "-l", path}}));
  const std::vector<std::string> addresses = f.daemon.addresses();
  const char* const peers[] = {" peer=127.0.0.1:", " peer=[::1]:", " peer=unix"};
  assert_int_equal(addresses.size(), 3);
  for (size_t i = 0; i < 3; ++i) {
    Connection line{std::string_view(addresses[i])};
    const std::string host = "h" + std::to_string(i);
    assert_true(line.send(get_request("/release?pool=one&host=" + host)));
    assert_true(line.response().has_value());
    assert_true(line.send(get_request("/get?pool=nosuch&host=" + host)));
    assert_true(line.response().has_value());
    const auto told = f.daemon.wait_for_log("host=" + host);
    assert_true(told && told->find(peers[i]) != std::string::npos);
  }
}

void no_client_forges_a_line(void** state) {
  Fixture& f = fixture_of<Fixture>(state);
  assert_text(f.word("/get?pool=one&host=a%22%20token=1%20host=%22b&id=x%5c"), "YES");
  const auto line = f.daemon.wait_for_log("event=granted");
  assert_true(line.has_value());
  assert_true(line->find(" host=\"a\\x22 token\\x3d1 host\\x3d\\x22b\" id=\"x\\x5c\" token=") !=
              std::string::npos);
  assert_text(f.word("/get?pool=one&host=a%0aevent=granted"), "INVALID");
  assert_true(f.daemon.wait_for_log("event=refused").has_value());
  assert_int_equal(f.daemon.log_lines("event=granted").size(), 1);
}

void browser_gets_the_page_and_others_their_line(void** state) {
  Fixture& f = fixture_of<Fixture>(state);
  const Response page =
      fetch(f.port(), "/", "Accept: text/html,application/xhtml+xml,*/*;q=0.8\r\n");
  assert_int_equal(page.status, 200);
  assert_text(page.header("Content-Type"), "text/html; charset=utf-8");
  assert_true(page.body.starts_with("<!DOCTYPE html>") || page.body.starts_with("<!doctype html>"));
  assert_text(page.header("Cache-Control"), "no-store");
  assert_text(page.header("X-Content-Type-Options"), "nosniff");
  assert_text(page.header("Referrer-Policy"), "no-referrer");
  const std::string policy = page.header("Content-Security-Policy");
  for (const char* part :
       {"default-src 'none';", "style-src 'sha256-", "script-src 'sha256-", "connect-src 'self';",
        "base-uri 'none';", "form-action 'none';", "frame-ancestors 'none'"}) {
    assert_that(policy.find(part) != std::string::npos, "%s is not in %s", part, policy.c_str());
  }
  assert_true(policy.find("unsafe") == std::string::npos);
  for (const char* accept : {"", "Accept: */*\r\n", "Accept: text/html;q=0\r\n"}) {
    assert_text(fetch(f.port(), "/", accept).body, "ok\n");
  }
}

}  // namespace
}  // namespace distributex::test

int main() {
  using namespace distributex::test;
  const CMUnitTest tests[] = {
      test_with(Fixture, leaves_a_line_for_each_event),
      test_with(Fixture, names_the_door_and_the_pool_of_a_refusal),
      test_with(Fixture, verbose_log_tells_everyday_answers_too),
      test_with(Fixture, can_be_turned_off_and_on),
      test_with(Fixture, names_the_clients_address),
      test_with(Fixture, no_client_forges_a_line),
      test_with(Fixture, browser_gets_the_page_and_others_their_line),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
