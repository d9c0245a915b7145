// SPDX-License-Identifier: MIT
// What get, wait, release and renew answer on the wire of the real daemon:
// words, results, headers, statuses, as text and as JSON. Methods, paths and
// framing are in wire/test_methods.cpp, parked waiters in wire/test_queue.cpp.
#include <stdlib.h>

#include "support/daemon.h"
#include "support/http.h"
#include "support/status.h"
#include "support/test.h"

namespace distributex::test {
namespace {

constexpr std::string_view pools = R"(pools:
  - name: one
    expire: 100
  - name: three
    maxlocks: 3
  - name: forever
    expire: 0
  - name: fenced
    servers: me, you
)";

struct Fixture {
  Daemon daemon{pools};
  Connection line;

  bool begin() {
    if (!daemon.start()) {
      return false;
    }
    line = Connection(daemon.port());
    return line.connected();
  }
  bool finish() { return daemon.stop(); }
  Response ask(std::string_view target, std::string_view extra = "") {
    return fetch(line, target, extra);
  }
};

// "200 YES granted": status, body, Distributex-Result.
std::string gist(const Response& response) {
  return std::to_string(response.status) + " " + response.body + " " +
         response.header("Distributex-Result");
}

struct Step {
  const char* target;
  const char* gist;
};

void walk(Fixture& f, const std::vector<Step>& steps) {
  for (const Step& step : steps) {
    const std::string seen = gist(f.ask(step.target));
    if (seen != step.gist) {
      print_error("after %s\n", step.target);
    }
    assert_text(seen, step.gist);
  }
}

void answers_the_first_session_word_for_word(void** state) {
  Fixture& f = fixture_of<Fixture>(state);
  const Step steps[] = {
      {"/get/?host=me&pool=one", "YES"},      {"/get/?host=them&pool=one", "NO"},
      {"/release/?host=me&pool=one", "OK"},   {"/get/?host=them&pool=one", "YES"},
      {"/release/?host=them&pool=one", "OK"},
  };
  for (const Step& step : steps) {
    const Response response = fetch(f.daemon.port(), step.target);
    assert_int_equal(response.status, 200);
    assert_text(response.body, step.gist);
  }
}

void answers_in_text_what_happened(void** state) {
  walk(fixture_of<Fixture>(state), {
                                       {"/get?pool=one&host=me", "200 YES granted"},
                                       {"/get?pool=one&host=me", "200 YES held"},
                                       {"/wait?pool=one&host=me", "200 YES held"},
                                       {"/get?pool=one&host=you", "200 NO busy"},
                                       {"/get?pool=one&host=me&id=2", "200 NO busy"},
                                       {"/wait?pool=one&host=you&timeout=0.05", "200 NO timeout"},
                                       {"/renew?pool=one&host=me", "200 OK renewed"},
                                       {"/renew?pool=one&host=you", "200 NO lost"},
                                       {"/renew?pool=one&host=me&token=1", "200 NO lost"},
                                       {"/release?pool=one&host=you", "200 OK not-held"},
                                       {"/release?pool=one&host=me&token=1", "200 OK not-held"},
                                       {"/get?pool=one&host=me", "200 YES held"},
                                       {"/release?pool=one&host=me", "200 OK released"},
                                       {"/release?pool=one&host=me", "200 OK not-held"},
                                       {"/renew?pool=one&host=me", "200 NO lost"},
                                       {"/wait?pool=one&host=me", "200 YES granted"},
                                       {"/get?pool=fenced&host=me", "200 YES granted"},
                                   });
}

void answers_invalid_to_what_is_no_request(void** state) {
  Fixture& f = fixture_of<Fixture>(state);
  const std::string longest(255, 'h');
  assert_text(gist(f.ask("/get?pool=three&host=" + longest)), "200 YES granted");
  const std::string rows[] = {
      "/get",
      "/get?",
      "/get?&&=&",
      "/get?host=me",
      "/get?pool=one",
      "/get?host=&pool=one",
      "/get?host=me&pool=",
      "/get?host=me&pool=nosuch",
      "/get?host=me&pool=one%00",
      "/get?host=" + longest + "h&pool=one",
      "/get?host=a%00b&pool=one",
      "/get?host=a%0d%0ab&pool=one",
      "/get?host=a%7fb&pool=one",
      "/get?host=%c3&pool=one",
      "/get?host=%c0%80&pool=one",
      "/get?host=%ed%a0%80&pool=one",
      "/get?host=%zz&pool=one",
      "/get?host=a%4&pool=one",
      "/get?host=me&pool=one&id=%01",
      "/get?HOST=me&pool=one",
      "/get?host=me&pool=one&expire=0",
      "/get?host=me&pool=one&expire=-5",
      "/get?host=me&pool=one&expire=soon",
      "/get?host=me&pool=one&expire=99999999999999999999",
      "/wait?host=me&pool=one&timeout=-1",
      "/wait?host=me&pool=one&timeout=long",
      "/wait?host=me&pool=one&timeout=1e3",
      "/wait?host=me&pool=one&timeout=nan",
      "/release?host=me&pool=one&token=x",
      "/release?host=me&pool=nosuch",
      "/renew?host=me&pool=one&token=-1",
      "/renew?host=me",
      "/get?host=they&pool=fenced",
      "/wait?host=they&pool=fenced",
  };
  for (const std::string& target : rows) {
    const Response response = f.ask(target);
    if (gist(response) != "200 INVALID invalid") {
      print_error("after %s\n", target.c_str());
    }
    assert_text(gist(response), "200 INVALID invalid");
    assert_int_equal(response.count("Distributex-Error"), 1);
    assert_true(response.header("Distributex-Error").size() > 10);
    assert_int_equal(response.count("Distributex-Token"), 0);
  }
  assert_text(holders_of(f.daemon.port(), "one"), "");
}

void sends_one_word_without_a_newline_and_its_length(void** state) {
  Fixture& f = fixture_of<Fixture>(state);
  assert_true(f.line.send(get_request("/get/?pool=one&host=me")));
  assert_true(f.line.response().has_value());
  assert_true(f.line.quiet());
  const Response response = f.ask("/release/?pool=one&host=me");
  assert_text(response.version, "HTTP/1.1");
  assert_text(response.reason, "OK");
  assert_text(response.header("Content-Length"), "2");
  assert_text(response.header("Content-Type").substr(0, 10), "text/plain");
  assert_int_equal(response.count("Distributex-Result"), 1);
  assert_int_equal(response.count("Distributex-Token"), 0);
  assert_int_equal(response.count("Distributex-Expires"), 0);
  assert_int_equal(response.count("Distributex-Error"), 0);
}

double expires(const Response& response) {
  return strtod(response.header("Distributex-Expires").c_str(), nullptr);
}
long long token(const Response& response) {
  return atoll(response.header("Distributex-Token").c_str());
}

void tells_token_and_time_left_of_a_lease(void** state) {
  Fixture& f = fixture_of<Fixture>(state);
  const Response granted = f.ask("/get?pool=one&host=me");
  assert_true(token(granted) > 0);
  assert_true(token(granted) < (1LL << 53));
  assert_true(expires(granted) > 50 && expires(granted) <= 100);
  assert_true(granted.header("Distributex-Expires").find('.') != std::string::npos);
  const Response held = f.ask("/wait?pool=one&host=me");
  assert_true(token(held) == token(granted));
  const Response renewed = f.ask("/renew?pool=one&host=me");
  assert_true(token(renewed) == token(granted));
  assert_true(expires(renewed) > 50 && expires(renewed) <= 100);
  const Response busy = f.ask("/get?pool=one&host=you");
  assert_int_equal(busy.count("Distributex-Token"), 0);
  assert_int_equal(busy.count("Distributex-Expires"), 0);
}

void raises_the_token_with_every_grant(void** state) {
  Fixture& f = fixture_of<Fixture>(state);
  long long last = 0;
  for (int i = 0; i < 50; ++i) {
    const Response granted = f.ask("/get?pool=three&host=h" + std::to_string(i % 7));
    assert_text(granted.body, "YES");
    assert_true(token(granted) > last);
    last = token(granted);
    assert_text(f.ask("/release?pool=three&host=h" + std::to_string(i % 7)).body, "OK");
  }
}

void releases_and_renews_by_the_leases_own_token(void** state) {
  Fixture& f = fixture_of<Fixture>(state);
  const std::string own = "&token=" + f.ask("/get?pool=one&host=me").header("Distributex-Token");
  assert_text(gist(f.ask("/renew?pool=one&host=me" + own)), "200 OK renewed");
  assert_text(gist(f.ask("/release?pool=one&host=me" + own)), "200 OK released");
  assert_text(gist(f.ask("/get?pool=one&host=me")), "200 YES granted");
  assert_text(gist(f.ask("/release?pool=one&host=me" + own)), "200 OK not-held");
  assert_text(gist(f.ask("/renew?pool=one&host=me" + own)), "200 NO lost");
  assert_text(holders_of(f.daemon.port(), "one"), "me");
}

void grants_the_shorter_of_the_two_lengths(void** state) {
  Fixture& f = fixture_of<Fixture>(state);
  const Response shorter = f.ask("/get?pool=one&host=me&expire=30");
  assert_true(expires(shorter) > 10 && expires(shorter) <= 30);
  const Response kept = f.ask("/renew?pool=one&host=me");
  assert_true(expires(kept) > 10 && expires(kept) <= 30);
  const Response changed = f.ask("/renew?pool=one&host=me&expire=60");
  assert_true(expires(changed) > 40 && expires(changed) <= 60);
  const Response most = f.ask("/renew?pool=one&host=me&expire=5000");
  assert_true(expires(most) > 70 && expires(most) <= 100);
  assert_true(expires(f.ask("/get?pool=three&host=me&expire=100000")) <= 1800);
}

void never_ends_a_lease_of_a_pool_without_expiry(void** state) {
  Fixture& f = fixture_of<Fixture>(state);
  for (const char* target : {"/get?pool=forever&host=me&expire=5", "/get?pool=forever&host=me",
                             "/renew?pool=forever&host=me&expire=5"}) {
    const Response response = f.ask(target);
    assert_int_equal(response.count("Distributex-Token"), 1);
    assert_int_equal(response.count("Distributex-Expires"), 0);
  }
  assert_false(pool_state(f.daemon.port(), "forever").holders.at(0).expires_in.has_value());
}

void does_not_extend_a_lease_that_is_asked_for_again(void** state) {
  Fixture& f = fixture_of<Fixture>(state);
  const double first = expires(f.ask("/get?pool=one&host=me&expire=20"));
  const double second = expires(f.ask("/get?pool=one&host=me&expire=100"));
  const double third = expires(f.ask("/wait?pool=one&host=me"));
  assert_true(first <= 20 && second <= first && third <= second);
}

void counts_each_owner_of_a_semaphore_once(void** state) {
  walk(fixture_of<Fixture>(state), {
                                       {"/get?pool=three&host=a", "200 YES granted"},
                                       {"/get?pool=three&host=a", "200 YES held"},
                                       {"/get?pool=three&host=a&id=1", "200 YES granted"},
                                       {"/get?pool=three&host=b", "200 YES granted"},
                                       {"/get?pool=three&host=c", "200 NO busy"},
                                       {"/release?pool=three&host=a&id=2", "200 OK not-held"},
                                       {"/release?pool=three&host=a", "200 OK released"},
                                       {"/get?pool=three&host=a&id=1", "200 YES held"},
                                       {"/get?pool=three&host=c", "200 YES granted"},
                                       {"/get?pool=three&host=a", "200 NO busy"},
                                   });
}

struct JsonStep {
  const char* target;
  int status;
  const char* members;  // as text, without token, expires_in and error
  bool has_token, has_expires, has_error;
};

void answers_json_where_it_is_accepted(void** state) {
  Fixture& f = fixture_of<Fixture>(state);
  const JsonStep steps[] = {
      {"/get?pool=one&host=me&id=7", 200, "granted one me 7", true, true, false},
      {"/get?pool=one&host=me&id=7", 200, "held one me 7", true, true, false},
      {"/renew?pool=one&host=me&id=7", 200, "renewed one me 7", true, true, false},
      {"/get?pool=one&host=%c3%a9+x", 409, "busy one \u00e9 x ", false, false, false},
      {"/wait?pool=one&host=you&timeout=0", 409, "timeout one you ", false, false, false},
      {"/release?pool=one&host=you", 409, "not-held one you ", false, false, false},
      {"/renew?pool=one&host=you", 409, "lost one you ", false, false, false},
      {"/release?pool=one&host=me&id=7", 200, "released one me 7", false, false, false},
      {"/get?pool=forever&host=me", 200, "granted forever me ", true, false, false},
  };
  for (const JsonStep& step : steps) {
    const Response response = f.ask(step.target, "Accept: application/json\r\n");
    assert_int_equal(response.status, step.status);
    assert_text(response.header("Content-Type").substr(0, 16), "application/json");
    const Json json = parse_json(response.body);
    assert_non_null(json.get());
    assert_text(json_text(json.get(), "result") + " " + json_text(json.get(), "pool") + " " +
                    json_text(json.get(), "host") + " " + json_text(json.get(), "id"),
                step.members);
    assert_int_equal(json_is_integer(json_object_get(json.get(), "token")), step.has_token);
    assert_int_equal(json_number_at(json.get(), "expires_in").has_value(), step.has_expires);
    assert_int_equal(!json_text(json.get(), "error").empty(), step.has_error);
    assert_text(response.header("Distributex-Result"), json_text(json.get(), "result"));
  }
}

void tells_kinds_of_invalid_apart_in_json(void** state) {
  Fixture& f = fixture_of<Fixture>(state);
  const std::pair<const char*, int> rows[] = {
      {"/get?pool=one", 400},
      {"/get?pool=one&host=%00", 400},
      {"/get?pool=nosuch&host=me", 404},
      {"/get?pool=fenced&host=a", 403},
      {"/nosuch?pool=one&host=me", 404},
      {"/wait?pool=one&host=a&timeout=x", 400},
      {"/get?pool=one&host=%ff", 400},
      {"/get?pool=%22%5c&host=me", 404},
  };
  for (const auto& [target, status] : rows) {
    const Response response = f.ask(target, "Accept: application/json\r\n");
    const Json json = parse_json(response.body);
    if (response.status != status) {
      print_error("after %s\n", target);
    }
    assert_int_equal(response.status, status);
    assert_text(json_text(json.get(), "result"), "invalid");
    assert_true(!json_text(json.get(), "error").empty());
  }
}

}  // namespace
}  // namespace distributex::test

int main() {
  using namespace distributex::test;
  const CMUnitTest tests[] = {
      test_with(Fixture, answers_the_first_session_word_for_word),
      test_with(Fixture, answers_in_text_what_happened),
      test_with(Fixture, answers_invalid_to_what_is_no_request),
      test_with(Fixture, sends_one_word_without_a_newline_and_its_length),
      test_with(Fixture, tells_token_and_time_left_of_a_lease),
      test_with(Fixture, raises_the_token_with_every_grant),
      test_with(Fixture, releases_and_renews_by_the_leases_own_token),
      test_with(Fixture, grants_the_shorter_of_the_two_lengths),
      test_with(Fixture, never_ends_a_lease_of_a_pool_without_expiry),
      test_with(Fixture, does_not_extend_a_lease_that_is_asked_for_again),
      test_with(Fixture, counts_each_owner_of_a_semaphore_once),
      test_with(Fixture, answers_json_where_it_is_accepted),
      test_with(Fixture, tells_kinds_of_invalid_apart_in_json),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
