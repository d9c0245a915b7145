// SPDX-License-Identifier: MIT
// /events/ over real connections: the list, the streams in both forms, and how
// streams end: with the client, with a reader that is too slow, with the
// server. What a reader's query means is in test_events.cpp.
#include <sys/socket.h>

#include <algorithm>
#include <vector>

#include "support/daemon.h"
#include "support/http.h"
#include "support/metrics.h"
#include "support/status.h"
#include "support/test.h"

namespace distributex::test {
namespace {

constexpr std::string_view pools = R"(pools:
  - name: one
  - name: two
idle_timeout: 1
request_timeout: 1
)";

constexpr std::string_view as_sse = "Accept: text/event-stream\r\n";

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
  std::string word(std::string_view target) { return test::word(port(), target); }

  Connection follow(std::string_view query, std::string_view extra = "") {
    Connection reader(port());
    assert_true(reader.send(get_request("/events/?follow=1" + std::string(query), extra)));
    return reader;
  }
};

bool arrives(Connection& reader, std::string_view text) {
  return eventually([&] {
    (void)reader.quiet();
    return reader.unread().find(text) != std::string::npos;
  });
}

// "granted a, busy b": what the lines of a list tell.
std::string told(std::string_view lines) {
  std::string text;
  while (!lines.empty()) {
    const std::string_view line = lines.substr(0, lines.find('\n'));
    lines.remove_prefix(std::min(line.size() + 1, lines.size()));
    const Json json = parse_json(line);
    if (!json) {
      return "no JSON";
    }
    text += (text.empty() ? "" : ", ") + json_text(json.get(), "event") + " " +
            json_text(json.get(), "host");
  }
  return text;
}

int64_t seq_of_last(uint16_t port) {
  const std::string lines = word(port, "/events/");
  const size_t end = lines.rfind('\n', lines.size() - 2);
  const Json json = parse_json(lines.substr(end == std::string::npos ? 0 : end + 1));
  return json_integer_value(json_object_get(json.get(), "seq"));
}

void lists_what_has_happened_oldest_first(void** state) {
  Fixture& f = fixture_of<Fixture>(state);
  const Response none = fetch(f.port(), "/events/");
  assert_int_equal(none.status, 200);
  assert_text(none.body, "");
  const Response granted = fetch(f.port(), "/get?pool=one&host=a&id=run");
  assert_text(f.word("/get?pool=one&host=b"), "NO");
  assert_text(f.word("/wait?pool=one&host=b&timeout=0.01"), "NO");
  assert_text(f.word("/renew?pool=one&host=b"), "NO");
  assert_text(f.word("/release?pool=one&host=a&id=run"), "OK");
  assert_text(f.word("/get?pool=nosuch&host=c"), "INVALID");
  assert_text(f.word("/get?pool=two&host=d"), "YES");
  const Response list = fetch(f.port(), "/events");
  assert_text(list.header("Content-Type"), "application/x-ndjson; charset=utf-8");
  assert_text(list.header("Cache-Control"), "no-store");
  assert_text(told(list.body), "granted a, timeout b, lost b, released a, refused c, granted d");
  const Json first = parse_json(list.body.substr(0, list.body.find('\n')));
  assert_text(json_text(first.get(), "pool"), "one");
  assert_text(json_text(first.get(), "id"), "run");
  assert_text(std::to_string(json_integer_value(json_object_get(first.get(), "token"))),
              granted.header("Distributex-Token"));
  assert_true(json_text(first.get(), "peer").starts_with("127.0.0.1:"));
  assert_text(told(f.word("/events/?host=b")), "timeout b, lost b");
  assert_text(told(f.word("/events/?pool=two")), "granted d");
  assert_text(told(f.word("/events/?since=" + std::to_string(seq_of_last(f.port()) - 2))),
              "refused c, granted d");
  for (const char* bad :
       {"since=yesterday", "since=", "pool=%ff", "pool=", "host=%zz", "follow=", "follow=no"}) {
    const Response refused = fetch(f.port(), "/events/?" + std::string(bad));
    assert_that(refused.status == 400, "%s: status %d", bad, refused.status);
    assert_true(refused.body.starts_with("parameter \""));
  }
}

void tells_of_expiry_and_of_clients_that_leave(void** state) {
  Fixture& f = fixture_of<Fixture>(state);
  assert_text(f.word("/get?pool=one&host=a&expire=1"), "YES");
  Connection waiter(f.port());
  assert_true(waiter.send(get_request("/wait?pool=one&host=b")));
  assert_true(wait_for_waiting(f.port(), "one", 1));
  waiter.close();
  assert_true(
      eventually([&] { return told(f.word("/events/")) == "granted a, cancelled b, expired a"; }));
}

void keeps_as_many_as_configured(void** state) {
  Fixture& f = fixture_of<Fixture>(state);
  assert_true(f.daemon.reload("events: 3\npools:\n  - name: one\n").has_value());
  for (const char* host : {"a", "b", "c", "d"}) {
    assert_text(f.word("/get?pool=nosuch&host=" + std::string(host)), "INVALID");
  }
  assert_text(told(f.word("/events/")), "refused b, refused c, refused d");
}

void streams_lines_as_they_happen(void** state) {
  Fixture& f = fixture_of<Fixture>(state);
  assert_text(f.word("/get?pool=one&host=before"), "YES");
  Connection reader = f.follow("");
  assert_true(arrives(reader, "\"host\":\"before\""));
  assert_true(reader.unread().find("application/x-ndjson") != std::string::npos);
  assert_true(reader.unread().find("Transfer-Encoding: chunked") != std::string::npos);
  assert_text(f.word("/release?pool=one&host=before"), "OK");
  assert_true(arrives(reader, "\"event\":\"released\""));
  assert_text(f.word("/get?pool=two&host=after"), "YES");
  assert_true(arrives(reader, "\"host\":\"after\""));
}

void streams_server_sent_events_to_those_who_accept_them(void** state) {
  Fixture& f = fixture_of<Fixture>(state);
  Connection reader = f.follow("", as_sse);
  assert_true(arrives(reader, "retry: "));
  assert_true(reader.unread().find("Content-Type: text/event-stream") != std::string::npos);
  assert_text(f.word("/get?pool=one&host=a"), "YES");
  const std::string seq = std::to_string(seq_of_last(f.port()));
  assert_true(arrives(reader, "id: " + seq + "\nevent: granted\ndata: {\"seq\":" + seq + ","));
  assert_true(arrives(reader, "\"}\n\n"));
}

void goes_on_behind_the_last_event_seen(void** state) {
  Fixture& f = fixture_of<Fixture>(state);
  assert_text(f.word("/get?pool=one&host=seen"), "YES");
  const std::string seq = std::to_string(seq_of_last(f.port()));
  assert_text(f.word("/get?pool=two&host=missed"), "YES");
  Connection reader = f.follow("", std::string(as_sse) + "Last-Event-ID: " + seq + "\r\n");
  assert_true(arrives(reader, "missed"));
  assert_true(reader.unread().find("seen") == std::string::npos);
}

void streams_only_what_the_reader_asks_for(void** state) {
  Fixture& f = fixture_of<Fixture>(state);
  Connection reader = f.follow("&pool=two");
  assert_true(arrives(reader, "\r\n\r\n"));
  assert_text(f.word("/get?pool=one&host=a"), "YES");
  assert_text(f.word("/get?pool=two&host=b"), "YES");
  assert_true(arrives(reader, "\"host\":\"b\""));
  assert_true(reader.unread().find("\"host\":\"a\"") == std::string::npos);
}

void streams_to_http_1_0_until_the_connection_ends(void** state) {
  Fixture& f = fixture_of<Fixture>(state);
  Connection reader(f.port());
  assert_true(reader.send("GET /events?follow=1 HTTP/1.0\r\nConnection: keep-alive\r\n\r\n"));
  assert_true(arrives(reader, "\r\n\r\n"));
  assert_text(f.word("/get?pool=one&host=a"), "YES");
  assert_true(arrives(reader, "\"}\n"));
  const std::string& all = reader.unread();
  assert_true(all.find("chunked") == std::string::npos);
  assert_true(all.find("Content-Length") == std::string::npos);
  assert_text(told(all.substr(all.find("\r\n\r\n") + 4)), "granted a");
}

// Both timeouts are a second here, and the connection is silent for longer.
void stream_stands_under_no_deadline(void** state) {
  Fixture& f = fixture_of<Fixture>(state);
  Connection reader = f.follow("");
  assert_true(arrives(reader, "\r\n\r\n"));
  assert_int_equal(reader.wait_end(milliseconds{2500}), End::none);
  assert_text(f.word("/get?pool=one&host=a"), "YES");
  assert_true(arrives(reader, "\"host\":\"a\""));
}

void forgets_a_reader_that_leaves(void** state) {
  Fixture& f = fixture_of<Fixture>(state);
  std::vector<Connection> readers;
  for (int i = 0; i < 3; ++i) {
    readers.push_back(f.follow(""));
  }
  for (Connection& reader : readers) {
    assert_true(arrives(reader, "\r\n\r\n"));
  }
  assert_true(sample_of(f.port(), "distributex_event_streams") == 3);
  readers[0].close();
  readers[1].reset();
  assert_true(eventually([&] { return sample_of(f.port(), "distributex_event_streams") == 1; }));
  assert_text(f.word("/get?pool=one&host=a"), "YES");
  assert_true(arrives(readers[2], "\"host\":\"a\""));
}

// Makes many refusals with the longest names, until the reader has left more unread than the
// server keeps.
void drops_a_reader_that_does_not_read(void** state) {
  Fixture& f = fixture_of<Fixture>(state);
  Connection reader = f.follow("");
  const int small = 4096;
  assert_int_equal(setsockopt(reader.fd(), SOL_SOCKET, SO_RCVBUF, &small, sizeof small), 0);
  Connection witness = f.follow("&host=nobody");
  assert_true(eventually([&] { return sample_of(f.port(), "distributex_event_streams") == 2; }));
  const std::string name(250, 'n');
  std::string burst;
  for (int i = 0; i < 50; ++i) {
    burst += get_request("/get?pool=" + name + "&host=" + name);
  }
  const bool dropped = eventually(
      [&] {
        Connection talker(f.port());
        if (!talker.send(burst)) {
          return false;
        }
        for (int i = 0; i < 50; ++i) {
          if (!talker.response()) {
            return false;
          }
        }
        return sample_of(f.port(), "distributex_event_streams_dropped_total") == 1;
      },
      std::chrono::seconds{60});
  assert_true(dropped);
  assert_true(sample_of(f.port(), "distributex_event_streams") == 1);
  assert_int_not_equal(reader.wait_end(), End::none);
  assert_true(f.daemon.wait_for_log("event stream dropped").has_value());
}

void stream_ends_whole_when_the_server_stops(void** state) {
  Fixture& f = fixture_of<Fixture>(state);
  Connection lines = f.follow("");
  Connection sse = f.follow("", as_sse);
  assert_true(arrives(lines, "\r\n\r\n") && arrives(sse, "retry: "));
  assert_text(f.word("/get?pool=one&host=a"), "YES");
  Connection waiter(f.port());
  assert_true(waiter.send(get_request("/wait?pool=one&host=b")));
  assert_true(wait_for_waiting(f.port(), "one", 1));
  assert_true(f.daemon.stop());
  for (Connection* reader : {&lines, &sse}) {
    assert_int_equal(reader->wait_end(), End::eof);
    assert_true(reader->unread().find("the server is shutting down") != std::string::npos);
    assert_true(reader->unread().ends_with("\r\n0\r\n\r\n"));
  }
}

void head_and_options_end_at_once(void** state) {
  Fixture& f = fixture_of<Fixture>(state);
  assert_text(f.word("/get?pool=one&host=a"), "YES");
  for (const char* target : {"/events/", "/events/?follow=1"}) {
    Connection line(f.port());
    assert_true(line.send(std::string("HEAD ") + target + " HTTP/1.1\r\nHost: x\r\n\r\n"));
    const Response head = line.response(true).value_or(Response{});
    assert_int_equal(head.status, 200);
    assert_text(head.header("Content-Type"), "application/x-ndjson; charset=utf-8");
    assert_true(line.send(std::string("OPTIONS ") + target + " HTTP/1.1\r\nHost: x\r\n\r\n"));
    const Response options = line.response().value_or(Response{});
    assert_int_equal(options.status, 200);
    assert_text(options.header("Allow"), "GET, HEAD, OPTIONS");
    assert_text(word(line, "/livez"), "ok\n");
  }
}

void too_many_readers_are_turned_away(void** state) {
  Fixture& f = fixture_of<Fixture>(state);
  std::vector<Connection> readers;
  for (int i = 0; i < 100; ++i) {
    readers.push_back(f.follow(""));
  }
  assert_true(eventually([&] { return sample_of(f.port(), "distributex_event_streams") == 100; }));
  const Response refused = fetch(f.port(), "/events/?follow=1");
  assert_int_equal(refused.status, 503);
  assert_false(refused.header("Retry-After").empty());
  assert_int_equal(fetch(f.port(), "/events/").status, 200);
}

}  // namespace
}  // namespace distributex::test

int main() {
  using namespace distributex::test;
  const CMUnitTest tests[] = {
      test_with(Fixture, lists_what_has_happened_oldest_first),
      test_with(Fixture, tells_of_expiry_and_of_clients_that_leave),
      test_with(Fixture, keeps_as_many_as_configured),
      test_with(Fixture, streams_lines_as_they_happen),
      test_with(Fixture, streams_server_sent_events_to_those_who_accept_them),
      test_with(Fixture, goes_on_behind_the_last_event_seen),
      test_with(Fixture, streams_only_what_the_reader_asks_for),
      test_with(Fixture, streams_to_http_1_0_until_the_connection_ends),
      test_with(Fixture, stream_stands_under_no_deadline),
      test_with(Fixture, forgets_a_reader_that_leaves),
      test_with(Fixture, drops_a_reader_that_does_not_read),
      test_with(Fixture, stream_ends_whole_when_the_server_stops),
      test_with(Fixture, head_and_options_end_at_once),
      test_with(Fixture, too_many_readers_are_turned_away),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
