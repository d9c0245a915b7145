// SPDX-License-Identifier: MIT
// How requests for a verb are framed and routed: methods, paths, forms,
// versions, keep-alive, pipelining, and that nothing a client sends gets into
// a header. What the verbs then do is in wire/test_verbs.cpp.
#include <algorithm>

#include "support/daemon.h"
#include "support/http.h"
#include "support/status.h"
#include "support/test.h"

namespace distributex::test {
namespace {

constexpr std::string_view pools = R"(pools:
  - name: one
  - name: many
    maxlocks: 100
)";

struct Fixture {
  Daemon daemon{pools};

  bool begin() { return daemon.start(); }
  bool finish() { return daemon.stop(); }
};

// Sends the bytes over a fresh connection and reads one answer.
Response exchange(Fixture& f, std::string_view bytes, bool to_head = false) {
  Connection line(f.daemon.port());
  if (!line.send(bytes)) {
    return {};
  }
  return line.response(to_head).value_or(Response{});
}

void takes_a_form_in_the_body_like_a_query(void** state) {
  Fixture& f = fixture_of<Fixture>(state);
  struct Row {
    const char* target;
    const char* form;
    const char* body;
  };
  const Row rows[] = {
      {"/get", "pool=one&host=a", "YES"},
      {"/get/", "host=b&pool=one", "NO"},
      {"/release?pool=one", "host=a", "OK"},
      {"/get?pool=one&host=c", "", "YES"},
      {"/get?host=c", "host=d&pool=one", "YES"},
      {"/release?host=c&pool=one", "host=d&pool=one&token=", "INVALID"},
      {"/release", "host=c&pool=one&host=d", "OK"},
      {"/get", "host=%61+b&pool=on%65", "YES"},
      {"/get?host=a%20b&pool=one", "", "YES"},
      {"/get", "", "INVALID"},
      {"/get", "\x00\xff&&&=", "INVALID"},
  };
  Connection line(f.daemon.port());
  for (const Row& row : rows) {
    assert_true(line.send(post_request(row.target, row.form)));
    const std::optional<Response> response = line.response();
    assert_true(response.has_value());
    assert_int_equal(response->status, 200);
    assert_text(response->body, row.body);
  }
}

void takes_a_chunked_form(void** state) {
  Fixture& f = fixture_of<Fixture>(state);
  const Response response = exchange(f,
                                     "POST /get HTTP/1.1\r\nHost: x\r\n"
                                     "Content-Type: application/x-www-form-urlencoded\r\n"
                                     "Transfer-Encoding: chunked\r\n\r\n"
                                     "8\r\npool=one\r\n7\r\n&host=a\r\n0\r\n\r\n");
  assert_text(response.body, "YES");
  assert_text(holders_of(f.daemon.port(), "one"), "a");
}

void answers_chunked_requests_one_after_the_other_over_one_connection(void** state) {
  Fixture& f = fixture_of<Fixture>(state);
  Connection line(f.daemon.port());
  for (const char* word : {"granted", "held", "held"}) {
    assert_true(
        line.send("POST /get HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
                  "f\r\npool=one&host=a\r\n0\r\n\r\n"));
    const std::optional<Response> response = line.response();
    assert_that(response.has_value(), "there was no %s", word);
    assert_text(response->header("Distributex-Result"), word);
  }
  assert_true(
      line.send("GET /livez HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"));
  assert_text(line.response().value_or(Response{}).body, "ok\n");
  assert_true(line.quiet());
}

void counts_the_first_of_equal_parameters(void** state) {
  Fixture& f = fixture_of<Fixture>(state);
  assert_text(word(f.daemon.port(), "/get?host=first&host=second&pool=one&pool=nosuch"), "YES");
  assert_text(holders_of(f.daemon.port(), "one"), "first");
  assert_text(word(f.daemon.port(), "/get?pool=nosuch&host=first&pool=one"), "INVALID");
}

void refuses_other_methods_on_a_verb_with_405(void** state) {
  Fixture& f = fixture_of<Fixture>(state);
  Connection line(f.daemon.port());
  for (const char* method : {"HEAD", "PUT", "DELETE", "OPTIONS", "PATCH", "TRACE", "FOO", "get"}) {
    for (const char* path : {"/get", "/wait/", "/release", "/renew"}) {
      const bool head = method == std::string_view("HEAD");
      const std::string request =
          std::string(method) + " " + path + "?pool=one&host=a HTTP/1.1\r\nHost: x\r\n\r\n";
      if (!line.connected()) {
        line = Connection(f.daemon.port());
      }
      assert_true(line.send(request));
      const std::optional<Response> response = line.response(head);
      assert_that(response && response->status == 405, "%s %s: status %d", method, path,
                  response ? response->status : 0);
      const std::string allow = response->header("Allow");
      assert_that(allow == "GET, POST" || allow == "POST, GET", "%s: Allow: %s", method,
                  allow.c_str());
      if (response->header("Connection") == "close") {
        assert_int_equal(line.wait_end(), End::eof);
        assert_true(line.unread().empty());
        line.close();
      } else {
        assert_text(word(line, "/release?pool=many&host=sync"), "OK");
      }
    }
  }
  assert_text(holders_of(f.daemon.port(), "one"), "");
}

void sends_no_body_after_head(void** state) {
  Fixture& f = fixture_of<Fixture>(state);
  Connection line(f.daemon.port());
  assert_true(line.send("HEAD /get?pool=one&host=a HTTP/1.1\r\nHost: x\r\n\r\n" +
                        get_request("/get?pool=one&host=b")));
  assert_int_equal(line.response(true)->status, 405);
  // What follows is the next answer, or the end: no word of the refusal's.
  const std::optional<Response> next = line.response();
  if (next) {
    assert_text(next->body, "YES");
  } else {
    assert_true(line.wait_end() != End::none);
    assert_text(line.unread(), "");
  }
}

// If the daemon ran such a body as a request, a client could use probes to get around the rules
// of a proxy that lets probes pass.
void takes_no_body_for_a_request(void** state) {
  Fixture& f = fixture_of<Fixture>(state);
  const std::string body = "GET /get?pool=one&host=smuggled HTTP/1.1\r\nHost: x\r\n\r\n";
  const std::string length = "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body;
  const std::string chunks = "Transfer-Encoding: chunked\r\n\r\n" + body;
  for (const char* method :
       {"HEAD", "GET", "OPTIONS", "POST", "PUT", "PATCH", "DELETE", "TRACE", "CONNECT", "FOO"}) {
    for (const std::string& rest : {length, chunks}) {
      Connection line(f.daemon.port());
      assert_true(line.send(std::string(method) + " /livez HTTP/1.1\r\nHost: x\r\n" + rest));
      (void)line.response(method == std::string_view("HEAD"));
      // If the connection stays open, the daemon answers the next request, and only that.
      if (line.wait_end(milliseconds{100}) == End::none && line.unread().empty()) {
        assert_true(line.send(get_request("/livez")));
        assert_text(line.response().value_or(Response{}).body, "ok\n");
      }
      assert_that(line.unread().find("HTTP/1.") == std::string::npos, "%s: two answers", method);
      assert_text(holders_of(f.daemon.port(), "one"), "");
    }
  }
}

void ignores_slashes_around_a_verb(void** state) {
  Fixture& f = fixture_of<Fixture>(state);
  for (const char* path : {"/get", "/get/", "//get", "//get//", "///get///"}) {
    const Response response = fetch(f.daemon.port(), std::string(path) + "?pool=one&host=a");
    assert_int_equal(response.status, 200);
    assert_text(response.body, "YES");
  }
  assert_text(word(f.daemon.port(), "http://localhost:9889/get?pool=one&host=a"), "YES");
}

void answers_404_to_any_other_path(void** state) {
  Fixture& f = fixture_of<Fixture>(state);
  for (const char* path :
       {"/nosuch", "/GET", "/get/all", "/getx", "/get%00", "/get/%00x", "/%67et", "/g/et", "/..",
        "/./get", "/index.html", "/get;x=1", "/status/x", "/livez.txt"}) {
    Connection line(f.daemon.port());
    const Response response = fetch(line, std::string(path) + "?pool=one&host=a");
    if (response.status != 404) {
      print_error("after %s\n", path);
    }
    assert_int_equal(response.status, 404);
    assert_text(response.body, "INVALID");
    assert_text(response.header("Distributex-Result"), "invalid");
    assert_int_equal(response.count("Distributex-Error"), 1);
    assert_text(word(line, "/release?pool=one&host=a"), "OK");
  }
  assert_text(holders_of(f.daemon.port(), "one"), "");
}

// Checks that the answer has only headers that the daemon knows, none twice, and only
// printable ASCII.
void check_headers(const Response& response, std::string_view sent) {
  assert_that(response.status != 0, "no answer to %.*s", static_cast<int>(sent.size()),
              sent.data());
  for (const auto& [name, value] : response.headers) {
    assert_int_equal(response.count(name), 1);
    assert_true(name != "X-Evil" && name != "Set-Cookie");
    assert_true(
        std::all_of(value.begin(), value.end(), [](char c) { return c >= 0x20 && c < 0x7f; }));
  }
  assert_true(response.header("Distributex-Result") != "granted");
}

void lets_nothing_sent_into_a_header(void** state) {
  Fixture& f = fixture_of<Fixture>(state);
  const std::string evil = "a%0d%0aX-Evil:%201%0d%0a%0d%0a";
  const std::string targets[] = {
      "/get?pool=one&host=" + evil,
      "/get?pool=" + evil + "&host=a",
      "/get?pool=one&host=a&id=" + evil,
      "/get?pool=one&host=a&expire=" + evil,
      "/wait?pool=one&host=a&timeout=" + evil,
      "/release?pool=one&host=a&token=" + evil,
      "/" + evil + "?pool=one&host=a",
      "/get?pool=nos%c3%a9ch&host=a",
      "/get?pool=%0aSet-Cookie:x&host=a",
      "/get?pool=no\x01\xff\x80such&host=a",
      "/status/?pool=" + evil,
  };
  for (const std::string& target : targets) {
    for (const char* extra : {"", "Accept: application/json\r\n"}) {
      check_headers(fetch(f.daemon.port(), target, extra), target);
    }
  }
}

void keeps_a_connection_by_the_rules_of_its_version(void** state) {
  Fixture& f = fixture_of<Fixture>(state);
  struct Row {
    const char* request;
    bool closes;
  };
  const Row rows[] = {
      {"GET /get?pool=many&host=a HTTP/1.1\r\nHost: x\r\n\r\n", false},
      {"GET /get?pool=many&host=a HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", true},
      {"GET /get?pool=many&host=a HTTP/1.0\r\n\r\n", true},
      {"GET /get?pool=many&host=a HTTP/1.0\r\nConnection: keep-alive\r\n\r\n", false},
  };
  for (const Row& row : rows) {
    Connection line(f.daemon.port());
    assert_true(line.send(row.request));
    const std::optional<Response> response = line.response();
    assert_that(response.has_value(), "no answer to %s", row.request);
    assert_text(response->body, "YES");
    if (row.closes) {
      assert_int_equal(line.wait_end(), End::eof);
    } else {
      assert_true(response->by_length);
      assert_text(word(line, "/get?pool=many&host=a"), "YES");
    }
  }
}

void answers_pipelined_requests_in_order(void** state) {
  Fixture& f = fixture_of<Fixture>(state);
  std::string all;
  for (int i = 0; i < 60; ++i) {
    all += get_request("/get?pool=many&host=h" + std::to_string(i), "Accept: application/json\r\n");
  }
  Connection line(f.daemon.port());
  assert_true(line.send(all));
  for (int i = 0; i < 60; ++i) {
    const std::optional<Response> response = line.response();
    assert_true(response.has_value());
    assert_text(json_text(parse_json(response->body).get(), "host"), "h" + std::to_string(i));
  }
  assert_true(line.quiet());
}

void answers_a_request_that_comes_byte_by_byte(void** state) {
  Fixture& f = fixture_of<Fixture>(state);
  Connection line(f.daemon.port());
  for (const char byte : post_request("/get", "pool=one&host=a")) {
    assert_true(line.send(std::string_view(&byte, 1)));
  }
  assert_text(line.response()->body, "YES");
}

void takes_bare_line_feeds_and_junk_without_harm(void** state) {
  Fixture& f = fixture_of<Fixture>(state);
  const std::string_view junk[] = {
      "GET /get?pool=one&host=j HTTP/9.9\r\n\r\n",
      "GET\r\n\r\n",
      "\r\n\r\n\r\n",
      "GET /get?pool=one&host=j\r\n\r\n",
      ":\r\n:\r\n\r\n",
      std::string_view("\0\0\0\0\r\n\r\n", 8),
      "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n",
      "POST /get HTTP/1.1\r\nContent-Length: -1\r\n\r\n",
      "POST /get HTTP/1.1\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
      "POST /get HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n\r\n",
      "GET /get?pool=one&host=j HTTP/1.1\r\nHost\r\n\r\n",
      "CONNECT localhost:1 HTTP/1.1\r\n\r\n",
      "GET * HTTP/1.1\r\n\r\n",
      "OPTIONS * HTTP/1.1\r\n\r\n",
      "GET http:// HTTP/1.1\r\n\r\n",
      "GET ?pool=one&host=j HTTP/1.1\r\n\r\n",
  };
  for (const std::string_view bytes : junk) {
    Connection line(f.daemon.port());
    assert_true(line.send(bytes));
    line.half_close();
    assert_true(line.wait_end() != End::none);
    assert_text(word(f.daemon.port(), "/release?pool=one&host=nobody"), "OK");
  }
  assert_true(f.daemon.running());
}

// A proxy in front might believe the other length.
void does_not_run_a_request_hidden_behind_two_lengths(void** state) {
  Fixture& f = fixture_of<Fixture>(state);
  const std::string hidden = get_request("/get?pool=one&host=hidden");
  Connection line(f.daemon.port());
  assert_true(
      line.send("POST /release HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\nContent-Length: " +
                std::to_string(hidden.size()) + "\r\n\r\n" + hidden));
  assert_true(line.wait_end() != End::none);
  assert_text(holders_of(f.daemon.port(), "one"), "");
}

}  // namespace
}  // namespace distributex::test

int main() {
  using namespace distributex::test;
  const CMUnitTest tests[] = {
      test_with(Fixture, takes_a_form_in_the_body_like_a_query),
      test_with(Fixture, takes_a_chunked_form),
      test_with(Fixture, answers_chunked_requests_one_after_the_other_over_one_connection),
      test_with(Fixture, counts_the_first_of_equal_parameters),
      test_with(Fixture, refuses_other_methods_on_a_verb_with_405),
      test_with(Fixture, sends_no_body_after_head),
      test_with(Fixture, takes_no_body_for_a_request),
      test_with(Fixture, ignores_slashes_around_a_verb),
      test_with(Fixture, answers_404_to_any_other_path),
      test_with(Fixture, lets_nothing_sent_into_a_header),
      test_with(Fixture, keeps_a_connection_by_the_rules_of_its_version),
      test_with(Fixture, answers_pipelined_requests_in_order),
      test_with(Fixture, answers_a_request_that_comes_byte_by_byte),
      test_with(Fixture, takes_bare_line_feeds_and_junk_without_harm),
      test_with(Fixture, does_not_run_a_request_hidden_behind_two_lengths),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
