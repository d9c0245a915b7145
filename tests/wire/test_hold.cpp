// SPDX-License-Identifier: MIT
// Locks that live as long as connections: streams, signs of life, and every way in which
// one can end.
#include <signal.h>
#include <sys/socket.h>

#include <array>

#include "support/daemon.h"
#include "support/http.h"
#include "support/status.h"
#include "support/test.h"

namespace distributex::test {
namespace {

constexpr std::string_view pools = R"(idle_timeout: 1
request_timeout: 1
pools:
  - name: one
    expire: 0
  - name: brief
    expire: 3
  - name: two
    maxlocks: 2
  - name: listed
    servers: a
)";

struct Fixture {
  Daemon daemon{pools};

  bool begin() { return daemon.start({.args = {"-l", "127.0.0.1:0", "-l", unix_address()}}); }
  bool finish() { return daemon.stop(); }
  std::string unix_address() const { return "unix:" + daemon.dir().file("socket"); }
};

// Reads up to the text; false when it does not come.
bool hears(Connection& line, std::string_view text, std::string& heard) {
  const auto until = Clock::now() + patience;
  while (heard.find(text) == std::string::npos && Clock::now() < until) {
    std::array<char, 4096> bytes;
    if (!line.wait_readable()) {
      return false;
    }
    const ssize_t size = recv(line.fd(), bytes.data(), bytes.size(), 0);
    if (size <= 0) {
      return false;
    }
    heard.append(bytes.data(), static_cast<size_t>(size));
  }
  return heard.find(text) != std::string::npos;
}

// A client that holds a lock, or waits for it.
struct Holder {
  Connection line;
  std::string heard{};

  Holder(uint16_t port, std::string_view query, std::string_view extra = "") : line(port) {
    sent = line.send(get_request("/hold/?" + std::string(query), extra));
  }
  bool hears(std::string_view text) { return test::hears(line, text, heard); }
  bool sent = false;
};

void holds_as_long_as_the_connection(void** state) {
  Fixture& f = fixture_of<Fixture>(state);
  const uint16_t port = f.daemon.port();
  struct Row {
    const char* name;
    void (Connection::*leave)();
  };
  for (const Row& row : {Row{"FIN", &Connection::close}, Row{"RST", &Connection::reset},
                         Row{"half", &Connection::half_close}}) {
    Holder holder(port, "pool=one&host=a");
    assert_true(holder.hears("YES\n"));
    assert_true(holder.heard.find("Transfer-Encoding: chunked") != std::string::npos);
    assert_true(holder.heard.find("Distributex-Result: granted") != std::string::npos);
    assert_true(holder.heard.find("Distributex-Token: ") != std::string::npos);
    assert_text(word(port, "/get?pool=one&host=b"), "NO");
    Connection next(port);
    assert_true(next.send(get_request("/wait?pool=one&host=b")));
    assert_true(wait_for_waiting(port, "one", 1));
    (holder.line.*row.leave)();
    const auto answer = next.response();
    assert_that(answer && answer->body == "YES", "%s did not free the lock", row.name);
    assert_text(word(port, "/release?pool=one&host=b"), "OK");
  }
}

void has_a_lease_of_thirty_seconds_whatever_the_pool_says(void** state) {
  Fixture& f = fixture_of<Fixture>(state);
  Holder forever(f.daemon.port(), "pool=one&host=a");
  assert_true(forever.hears("YES\n"));
  const auto lease = pool_state(f.daemon.port(), "one").holders.at(0).expires_in.value_or(0);
  assert_true(lease > 25 && lease <= 30);
  Holder brief(f.daemon.port(), "pool=brief&host=a");
  assert_true(brief.hears("YES\n"));
  assert_true(pool_state(f.daemon.port(), "brief").holders.at(0).expires_in.value_or(9) <= 3);
}

// The pool's leases end after three seconds, the deadlines of connections after one; a sign
// of life comes after five.
void lives_on_past_every_deadline(void** state) {
  Fixture& f = fixture_of<Fixture>(state);
  Holder text(f.daemon.port(), "pool=brief&host=a&id=1");
  Holder json(f.daemon.port(), "pool=two&host=a", "Accept: application/json\r\n");
  assert_true(json.hears("\"result\":\"granted\""));
  assert_true(json.heard.find("application/x-ndjson") != std::string::npos);
  assert_true(text.hears("YES\n"));
  const auto token = pool_state(f.daemon.port(), "brief").holders.at(0).token;
  assert_true(text.hears("\r\n1\r\n\n\r\n"));
  assert_true(json.hears("\r\n3\r\n{}\n\r\n"));
  assert_int_equal(pool_state(f.daemon.port(), "brief").holders.at(0).token, token);
  assert_true(text.heard.find("LOST") == std::string::npos);
}

void waits_its_turn_like_everybody(void** state) {
  Fixture& f = fixture_of<Fixture>(state);
  const uint16_t port = f.daemon.port();
  assert_text(word(port, "/get?pool=one&host=a"), "YES");
  Holder second(port, "pool=one&host=b");
  assert_true(wait_for_waiting(port, "one", 1));
  Holder gone(port, "pool=one&host=c");
  assert_true(wait_for_waiting(port, "one", 2));
  gone.line.close();
  assert_true(wait_for_waiting(port, "one", 1));
  assert_text(word(port, "/release?pool=one&host=a"), "OK");
  assert_true(second.hears("YES\n"));
  assert_text(holders_of(port, "one"), "b");
}

void answers_without_a_stream_when_there_is_no_lock(void** state) {
  Fixture& f = fixture_of<Fixture>(state);
  Connection line(f.daemon.port());
  assert_text(word(line, "/get?pool=one&host=a"), "YES");
  assert_text(word(line, "/hold?pool=one&host=b&timeout=0"), "NO");
  assert_text(word(line, "/hold?pool=one&host=b&timeout=0.05"), "NO");
  assert_text(word(line, "/hold?pool=nosuch&host=b"), "INVALID");
  assert_text(word(line, "/hold?pool=one"), "INVALID");
  assert_text(word(line, "/hold?pool=listed&host=b"), "INVALID");
  assert_int_equal(
      fetch(line, "/hold?pool=one&host=b&timeout=0", "Accept: application/json\r\n").status, 409);
  assert_true(line.send("PUT /hold/?pool=one&host=b HTTP/1.1\r\nHost: x\r\n\r\n"));
  const Response refused = line.response().value_or(Response{});
  assert_int_equal(refused.status, 405);
  assert_text(refused.header("Allow"), "GET, POST");
}

void frees_the_lock_with_the_last_of_one_owner(void** state) {
  Fixture& f = fixture_of<Fixture>(state);
  const uint16_t port = f.daemon.port();
  Holder first(port, "pool=one&host=a");
  assert_true(first.hears("YES\n"));
  Holder second(port, "pool=one&host=a");
  assert_true(second.hears("YES\n"));
  assert_true(second.heard.find("Distributex-Result: held") != std::string::npos);
  first.line.close();
  Connection next(port);
  assert_true(next.send(get_request("/wait?pool=one&host=b")));
  assert_true(wait_for_waiting(port, "one", 1));
  assert_text(holders_of(port, "one"), "a");
  second.line.close();
  assert_text(next.response().value_or(Response{}).body, "YES");
}

void says_that_the_lock_is_lost(void** state) {
  Fixture& f = fixture_of<Fixture>(state);
  const uint16_t port = f.daemon.port();
  Holder text(port, "pool=two&host=a");
  Holder json(port, "pool=two&host=b", "Accept: application/json\r\n");
  assert_true(text.hears("YES\n"));
  assert_true(json.hears("granted"));
  assert_text(word(port, "/release?pool=two&host=a"), "OK");
  assert_true(text.hears("LOST\n"));
  assert_true(text.hears("0\r\n\r\n"));
  const std::string without =
      std::string(pools.substr(0, pools.find("  - name: two"))) + "  - name: listed\n";
  assert_true(f.daemon.reload(without).has_value());
  assert_true(json.hears("{\"result\":\"lost\",\"error\":\""));
  assert_true(json.hears("0\r\n\r\n"));
  assert_text(word(text.line, "/livez"), "ok\n");
}

void says_so_when_an_operator_takes_the_lock_away(void** state) {
  Fixture& f = fixture_of<Fixture>(state);
  Holder holder(f.daemon.port(), "pool=one&host=a", "Accept: application/json\r\n");
  assert_true(holder.hears("granted"));
  const auto token = pool_state(f.daemon.port(), "one").holders.at(0).token;
  Connection line(f.daemon.port());
  assert_true(
      line.send(post_request("/evict", "pool=one&reason=dead&token=" + std::to_string(token))));
  assert_text(line.response().value_or(Response{}).body, "OK");
  assert_true(holder.hears("\"result\":\"lost\""));
}

void speaks_http_1_0_without_chunks(void** state) {
  Fixture& f = fixture_of<Fixture>(state);
  Connection line(f.daemon.port());
  assert_true(line.send("GET /hold/?pool=one&host=a HTTP/1.0\r\n\r\n"));
  std::string heard;
  assert_true(hears(line, "\r\n\r\nYES\n", heard));
  assert_true(heard.find("chunked") == std::string::npos);
  assert_text(word(f.daemon.port(), "/release?pool=one&host=a"), "OK");
  assert_true(hears(line, "LOST\n", heard));
  assert_int_equal(line.wait_end(), End::eof);
}

void works_over_a_unix_socket(void** state) {
  Fixture& f = fixture_of<Fixture>(state);
  Connection line(f.unix_address());
  assert_true(line.send(get_request("/hold/?pool=one&host=a")));
  std::string heard;
  assert_true(hears(line, "YES\n", heard));
  line.close();
  Connection next(f.daemon.port());
  assert_text(word(next, "/wait?pool=one&host=b"), "YES");
}

// The daemon cuts off a client that keeps sending, because it would not see the client's end
// behind the bytes that it keeps.
void bounds_what_is_sent_ahead(void** state) {
  Fixture& f = fixture_of<Fixture>(state);
  Holder holder(f.daemon.port(), "pool=one&host=a");
  assert_true(holder.hears("YES\n"));
  (void)holder.line.send_some(std::string(8192, 'x'));
  assert_true(holder.line.wait_end() != End::none);
  assert_text(word(f.daemon.port(), "/wait?pool=one&host=b"), "YES");
}

void ends_without_a_word_when_the_server_stops(void** state) {
  Fixture& f = fixture_of<Fixture>(state);
  Holder holder(f.daemon.port(), "pool=one&host=a");
  assert_true(holder.hears("YES\n"));
  f.daemon.send_signal(SIGTERM);
  assert_true(holder.hears("0\r\n\r\n"));
  assert_true(holder.heard.find("LOST") == std::string::npos);
  assert_int_equal(f.daemon.wait_exit().value_or(-1), 0);
}

// With a store the holder comes back to the lock that it had, and no other client gets it.
void comes_back_to_its_lock_after_a_restart(void**) {
  TempDir dir;
  Daemon daemon("backend: sqlite\nsqlitefile: " + dir.file("locks.db") +
                "\npools:\n  - name: one\n");
  assert_true(daemon.start());
  Holder before(daemon.port(), "pool=one&host=a&id=7");
  assert_true(before.hears("YES\n"));
  const auto token = pool_state(daemon.port(), "one").holders.at(0).token;
  daemon.kill_now();
  assert_true(daemon.restart());
  assert_text(word(daemon.port(), "/get?pool=one&host=b"), "NO");
  Holder after(daemon.port(), "pool=one&host=a&id=7");
  assert_true(after.hears("YES\n"));
  assert_true(after.heard.find("Distributex-Result: held") != std::string::npos);
  assert_int_equal(pool_state(daemon.port(), "one").holders.at(0).token, token);
  // The daemon renews the lease at once, for only the rest of it was left.
  assert_true(eventually([&] {
    const auto state = pool_state(daemon.port(), "one");
    return !state.holders.empty() && state.holders[0].expires_in.value_or(0) > 29;
  }));
  after.line.close();
  assert_text(word(daemon.port(), "/wait?pool=one&host=b"), "YES");
  assert_true(daemon.stop());
}

}  // namespace
}  // namespace distributex::test

int main() {
  using namespace distributex::test;
  const CMUnitTest tests[] = {
      test_with(Fixture, holds_as_long_as_the_connection),
      test_with(Fixture, has_a_lease_of_thirty_seconds_whatever_the_pool_says),
      test_with(Fixture, lives_on_past_every_deadline),
      test_with(Fixture, waits_its_turn_like_everybody),
      test_with(Fixture, answers_without_a_stream_when_there_is_no_lock),
      test_with(Fixture, frees_the_lock_with_the_last_of_one_owner),
      test_with(Fixture, says_that_the_lock_is_lost),
      test_with(Fixture, says_so_when_an_operator_takes_the_lock_away),
      test_with(Fixture, speaks_http_1_0_without_chunks),
      test_with(Fixture, works_over_a_unix_socket),
      test_with(Fixture, bounds_what_is_sent_ahead),
      test_with(Fixture, ends_without_a_word_when_the_server_stops),
      cmocka_unit_test(comes_back_to_its_lock_after_a_restart),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
