// SPDX-License-Identifier: MIT
// Where one request ends and the next begins, as RFC 9110 and 9112 have it: a table
// of raw inputs, each with the request "second" behind it, sent to the daemon and
// through proxies. Whatever is sent, a proxy and the daemon behind it must believe
// in the same number of requests.
#include <algorithm>
#include <memory>
#include <numeric>

#include "support/daemon.h"
#include "support/http.h"
#include "support/metrics.h"
#include "support/proxy.h"
#include "support/status.h"
#include "support/test.h"

namespace distributex::test {
namespace {

struct Fixture {
  Daemon daemon{"pools:\n  - {name: p, maxlocks: 10000}\n"};
  std::unique_ptr<RealProxy> proxy{};

  bool begin() { return daemon.start(); }
  bool finish() {
    proxy.reset();
    return daemon.stop();
  }
};

// What the daemon does with a row's bytes when no proxy is between.
enum class Fate {
  both,      // both requests are answered
  first,     // the first alone, and the connection ends with its answer
  refused,   // one answer, 400 or 413, and the end: nobody can tell what follows
  no_method  // one answer, 405, and the end
};

struct Row {
  const char* name;
  Fate fate;
  std::string bytes;  // the first request
};

// The first request: method, version, lines each with CR LF, body.
std::string raw(std::string_view method, std::string_view version, std::string_view lines,
                std::string_view body = "") {
  return std::string(method)
      .append(" /get?pool=p&host=first ")
      .append(version)
      .append("\r\n")
      .append(lines)
      .append("\r\n")
      .append(body);
}
std::string get(std::string_view lines, std::string_view body = "") {
  return raw("GET", "HTTP/1.1", "Host: x\r\n" + std::string(lines), body);
}
std::string post(std::string_view lines, std::string_view body = "") {
  return raw("POST", "HTTP/1.1", "Host: x\r\n" + std::string(lines), body);
}
std::string chunks(std::string_view body) { return post("Transfer-Encoding: chunked\r\n", body); }
std::string coded(std::string_view line) { return post(line, "0\r\n\r\n"); }
std::string measured(std::string_view line) { return post(line, "a=b&c"); }
std::string with_body(std::string_view method) {
  return raw(method, "HTTP/1.1", "Host: x\r\nContent-Length: 5\r\n", "a=b&c");
}
std::string aimed(std::string_view line) { return std::string(line) + "\r\nHost: x\r\n\r\n"; }

std::vector<Row> lengths() {
  return {
      {"no body", Fate::both, get("")},
      {"GET with length 0", Fate::both, get("Content-Length: 0\r\n")},
      {"GET with a body", Fate::both, get("Content-Length: 5\r\n", "a=b&c")},
      {"POST with a body", Fate::both, measured("Content-Length: 5\r\n")},
      {"POST without a length", Fate::both, post("")},
      {"blanks around a length", Fate::both, measured("Content-Length: \t5 \t\r\n")},
      {"leading zeros", Fate::both, measured("Content-Length: 0005\r\n")},
      {"a sign", Fate::refused, measured("Content-Length: +5\r\n")},
      {"a minus", Fate::refused, measured("Content-Length: -5\r\n")},
      {"hexadecimal", Fate::refused, measured("Content-Length: 0x5\r\n")},
      {"no digit", Fate::refused, measured("Content-Length: five\r\n")},
      {"digits and more", Fate::refused, measured("Content-Length: 5x\r\n")},
      {"an exponent", Fate::refused, measured("Content-Length: 5e0\r\n")},
      {"an empty length", Fate::refused, measured("Content-Length:\r\n")},
      {"a list of lengths", Fate::refused, measured("Content-Length: 5, 5\r\n")},
      {"above 64 bits", Fate::refused, measured("Content-Length: 18446744073709551621\r\n")},
      {"two equal lengths", Fate::refused, measured("Content-Length: 5\r\nContent-Length: 5\r\n")},
      {"two lengths", Fate::refused, measured("Content-Length: 5\r\nContent-Length: 0\r\n")},
      {"two lengths, spelled apart", Fate::refused,
       measured("content-length: 0\r\nCONTENT-LENGTH: 5\r\n")},
      {"length before coding", Fate::refused,
       coded("Content-Length: 5\r\nTransfer-Encoding: chunked\r\n")},
      {"coding before length", Fate::refused,
       coded("Transfer-Encoding: chunked\r\nContent-Length: 5\r\n")},
  };
}

std::vector<Row> codings() {
  return {
      {"chunks", Fate::both, chunks("5\r\na=b&c\r\n0\r\n\r\n")},
      {"two chunks", Fate::both, chunks("3\r\na=b\r\n2\r\n&c\r\n0\r\n\r\n")},
      {"a capital size", Fate::both, chunks("A\r\na=b&c&d&ef\r\n0\r\n\r\n")},
      {"a trailer", Fate::both, chunks("5\r\na=b&c\r\n0\r\nX: y\r\n\r\n")},
      {"no chunk but the last", Fate::both, chunks("0\r\n\r\n")},
      {"a negative size", Fate::refused, chunks("-1\r\na=b&c\r\n0\r\n\r\n")},
      {"a size above 64 bits", Fate::refused, chunks("fffffffffffffffff5\r\na=b&c\r\n0\r\n\r\n")},
      {"a chunk longer than its size", Fate::refused, chunks("3\r\na=b&c\r\n0\r\n\r\n")},
      {"a chunk without an end", Fate::refused, chunks("5\r\na=b&cXX0\r\n\r\n")},
      {"no size", Fate::refused, chunks("x\r\na=b&c\r\n0\r\n\r\n")},
      {"another case", Fate::both, coded("Transfer-Encoding: Chunked\r\n")},
      {"a tab", Fate::both, coded("Transfer-Encoding:\tchunked\r\n")},
      {"another coding", Fate::refused, coded("Transfer-Encoding: gzip\r\n")},
      {"two codings", Fate::refused, coded("Transfer-Encoding: gzip, chunked\r\n")},
      {"chunked not last", Fate::refused, coded("Transfer-Encoding: chunked, identity\r\n")},
      {"chunked twice", Fate::refused,
       coded("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n")},
      {"a word that ends so", Fate::refused, coded("Transfer-Encoding: xchunked\r\n")},
      {"an empty coding", Fate::refused, coded("Transfer-Encoding:\r\n")},
      {"a vertical tab", Fate::refused, coded("Transfer-Encoding: \vchunked\r\n")},
      {"a blank before the colon", Fate::refused, coded("Transfer-Encoding : chunked\r\n")},
      {"chunks of HTTP/1.0", Fate::refused,
       raw("POST", "HTTP/1.0", "Connection: keep-alive\r\nTransfer-Encoding: chunked\r\n",
           "0\r\n\r\n")},
  };
}

std::vector<Row> headers() {
  const std::string nul("X: a\0b\r\n", 8);
  return {
      {"a blank before another colon", Fate::refused, get("X : y\r\n")},
      {"a blank before the length's", Fate::refused, measured("Content-Length : 5\r\n")},
      {"a blank in a name", Fate::refused, get("X Y: z\r\n")},
      {"no name", Fate::refused, get(": x\r\n")},
      {"no colon", Fate::refused, get("Foo\r\n")},
      {"a control character in a name", Fate::refused, get("X\x01: y\r\n")},
      {"a CR in a value", Fate::refused, get("X: a\rb\r\n")},
      {"a CR for a line's end", Fate::refused, get("X: a\rContent-Length: 5\r\n")},
      {"a folded value", Fate::both, get("X: a\r\n b\r\n")},
      {"a folded first header", Fate::refused, raw("GET", "HTTP/1.1", " X: y\r\nHost: x\r\n")},
      {"no Host", Fate::refused, raw("GET", "HTTP/1.1", "")},
      {"no Host in HTTP/1.0", Fate::first, raw("GET", "HTTP/1.0", "")},
      {"two Hosts", Fate::refused, get("Host: y\r\n")},
      {"two equal Hosts", Fate::refused, get("Host: x\r\n")},
      {"an empty Host", Fate::both, raw("GET", "HTTP/1.1", "Host:\r\n")},
      {"a Host with a port", Fate::both, raw("GET", "HTTP/1.1", "Host: [::1]:9889\r\n")},
      {"a Host with a blank", Fate::refused, raw("GET", "HTTP/1.1", "Host: a b\r\n")},
      {"a Host with a path", Fate::refused, raw("GET", "HTTP/1.1", "Host: a/b\r\n")},
      {"an expectation", Fate::both, measured("Expect: 100-continue\r\nContent-Length: 5\r\n")},
      {"an expectation without a body", Fate::both, get("Expect: 100-continue\r\n")},
      {"an upgrade to HTTP/2", Fate::both,
       get("Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAA\r\n")},
      {"an upgrade to a web socket", Fate::both,
       get("Connection: Upgrade\r\nUpgrade: websocket\r\n")},
      {"TE", Fate::both, get("Connection: TE\r\nTE: trailers\r\n")},
      {"close", Fate::first, get("Connection: close\r\n")},
      {"Close", Fate::first, get("Connection: Close\r\n")},
      {"close in a list", Fate::first, get("Connection: foo , close\r\n")},
      {"close in the second header", Fate::first,
       get("Connection: keep-alive\r\nConnection: close\r\n")},
      {"a word that begins like close", Fate::both, get("Connection: closet\r\n")},
      {"a connection option that is a length", Fate::both,
       measured("Connection: Content-Length\r\nContent-Length: 5\r\n")},
  };
}

std::vector<Row> first_lines() {
  return {
      {"an empty line before", Fate::both, "\r\n" + get("")},
      {"two empty lines before", Fate::both, "\r\n\r\n" + get("")},
      {"an empty line between", Fate::both, get("") + "\r\n"},
      {"line feeds alone", Fate::both, "GET /get?pool=p&host=first HTTP/1.1\nHost: x\n\n"},
      {"an absolute target", Fate::first, aimed("GET http://x/get?pool=p&host=first HTTP/1.1")},
      {"an asterisk", Fate::both, aimed("OPTIONS * HTTP/1.1")},
      {"no version", Fate::refused, aimed("GET /get?pool=p&host=first")},
      {"a small version", Fate::refused, aimed("GET /get?pool=p&host=first http/1.1")},
      {"HTTP/2", Fate::refused, aimed("GET /get?pool=p&host=first HTTP/2.0")},
      {"HTTP/1.1 and more", Fate::refused, aimed("GET /get?pool=p&host=first HTTP/1.1x")},
      {"HTTP/2 with prior knowledge", Fate::refused, "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"},
      {"tabs between", Fate::refused, aimed("GET\t/get?pool=p&host=first\tHTTP/1.1")},
      {"HEAD with a body", Fate::no_method, with_body("HEAD")},
      {"PUT with a body", Fate::no_method, with_body("PUT")},
      {"DELETE with a body", Fate::no_method, with_body("DELETE")},
      {"OPTIONS with a body", Fate::no_method, with_body("OPTIONS")},
      {"PATCH with a body", Fate::no_method, with_body("PATCH")},
      {"an unknown method with a body", Fate::no_method, with_body("FOO")},
      {"a small method", Fate::no_method, with_body("get")},
  };
}

// The last request of each input ends the connection, so that its end can be awaited.
const std::string second =
    "GET /get?pool=p&host=second HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";

// Header names and status lines in small letters: a proxy may spell them anew.
std::string small(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(),
                 [](unsigned char c) { return std::tolower(c); });
  return text;
}

size_t count(std::string_view text, std::string_view word) {
  size_t n = 0;
  for (size_t at = text.find(word); at != text.npos; at = text.find(word, at + word.size())) {
    ++n;
  }
  return n;
}

// All that comes back until the end of the connection.
std::string answers_to(Connection line, const Row& row) {
  assert_true(line.connected());
  assert_true(line.send(row.bytes + second));
  assert_that(line.wait_end() != End::none, "%s: the connection stays open", row.name);
  return line.unread();
}

void check_fate(const Row& row, const std::string& answers) {
  const size_t all = count(small(answers), "\r\ncontent-length: ");
  const int status = answers.size() > 12 ? std::atoi(answers.substr(9, 3).c_str()) : 0;
  const bool is_refused = status == 400 || status == 413;
  switch (row.fate) {
    case Fate::both:
      assert_that(all == 2 && !is_refused, "%s: %zu answers:\n%s", row.name, all, answers.c_str());
      return;
    case Fate::first:
      assert_that(all == 1 && status == 200, "%s: %zu answers:\n%s", row.name, all,
                  answers.c_str());
      return;
    case Fate::refused:
      assert_that(all == 1 && is_refused, "%s: %zu answers:\n%s", row.name, all, answers.c_str());
      return;
    case Fate::no_method:
      assert_that(all == 1 && status == 405, "%s: %zu answers:\n%s", row.name, all,
                  answers.c_str());
      return;
  }
}

void the_daemon_reads_requests_as_the_rfc_has_it(void** state) {
  const Fixture& f = fixture_of<Fixture>(state);
  for (const auto& rows : {lengths(), codings(), headers(), first_lines()}) {
    for (const Row& row : rows) {
      check_fate(row, answers_to(Connection(f.daemon.port()), row));
    }
  }
}

// Sent one byte at a time, the bytes have the same fate.
void pieces_change_nothing(void** state) {
  const Fixture& f = fixture_of<Fixture>(state);
  for (const auto& rows : {lengths(), codings(), headers(), first_lines()}) {
    for (const Row& row : rows) {
      Connection line(f.daemon.port());
      for (const char byte : row.bytes + second) {
        if (!line.send({&byte, 1})) {
          break;  // refused already
        }
      }
      assert_that(line.wait_end() != End::none, "%s: the connection stays open", row.name);
      // When the daemon refuses before all is sent, a reset may destroy the refusal on its way.
      if (row.fate == Fate::both || !line.unread().empty()) {
        check_fate(row, line.unread());
      }
    }
  }
}

// How many requests the daemon has answered, as it counts them itself.
double requests_of(uint16_t port) {
  double all = 0;
  for (const auto& [name, value] : samples_of(port)) {
    if (name.starts_with("distributex_requests_total") ||
        name.starts_with("distributex_stray_requests_total")) {
      all += value;
    }
  }
  return all;
}

void compare_counts(Fixture& f, RealProxy::Kind kind) {
  f.proxy = std::make_unique<RealProxy>(kind, f.daemon.port());
  if (!f.proxy->exists()) {
    print_message("skipped: the proxy is not installed\n");
    skip();
  }
  assert_true(f.proxy->start());
  for (const auto& rows : {lengths(), codings(), headers(), first_lines()}) {
    for (const Row& row : rows) {
      const double before = requests_of(f.daemon.port());
      const std::string answers = answers_to(Connection(f.proxy->address()), row);
      // An answer to HTTP/0.9, which proxies may take, is a body and nothing else.
      const bool is_body_alone = answers == "YES";
      const size_t told = is_body_alone ? 1 : count(small(answers), "distributex-result: ");
      const double counted = requests_of(f.daemon.port()) - before;
      assert_that(static_cast<double>(told) == counted,
                  "%s: the daemon counts %.0f, the client was told of %zu:\n%s", row.name, counted,
                  told, answers.c_str());
      assert_that(told <= 2, "%s: a third request came out", row.name);
    }
  }
}

void haproxy_and_the_daemon_count_alike(void** state) {
  compare_counts(fixture_of<Fixture>(state), RealProxy::Kind::haproxy);
}

void nginx_and_the_daemon_count_alike(void** state) {
  compare_counts(fixture_of<Fixture>(state), RealProxy::Kind::nginx);
}

// max_header_size and max_body_size, met exactly and by one.
void limits_are_exact(void** state) {
  (void)state;
  Daemon daemon("max_header_size: 1024\nmax_body_size: 64\npools:\n  - {name: p, maxlocks: 100}\n");
  assert_true(daemon.start());
  struct Limit {
    size_t bytes;
    int status;
  };
  for (const Limit& limit : {Limit{64, 200}, Limit{65, 413}}) {
    std::string form = "pool=p&host=a&x=";
    form.resize(limit.bytes, 'x');
    Connection line(daemon.port());
    assert_true(line.send(post_request("/get", form)));
    const auto response = line.response();
    assert_that(response && response->status == limit.status, "%zu bytes: %d", limit.bytes,
                response ? response->status : 0);
  }
  // Of the head the bytes of all lines count, without their ends.
  for (const Limit& limit : {Limit{1024, 200}, Limit{1025, 400}}) {
    const std::string start = "GET /get?pool=p&host=b HTTP/1.1";
    const std::string host = "Host: x";
    std::string filler = "X: ";
    filler.resize(limit.bytes - start.size() - host.size(), 'x');
    Connection line(daemon.port());
    assert_true(line.send(start + "\r\n" + host + "\r\n" + filler + "\r\n\r\n"));
    const auto response = line.response();
    assert_that(response && response->status == limit.status, "%zu bytes: %d", limit.bytes,
                response ? response->status : 0);
  }
  assert_true(daemon.stop());
}

}  // namespace
}  // namespace distributex::test

int main() {
  using namespace distributex::test;
  const CMUnitTest tests[] = {
      test_with(Fixture, the_daemon_reads_requests_as_the_rfc_has_it),
      test_with(Fixture, pieces_change_nothing),
      test_with(Fixture, haproxy_and_the_daemon_count_alike),
      test_with(Fixture, nginx_and_the_daemon_count_alike),
      cmocka_unit_test(limits_are_exact),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
