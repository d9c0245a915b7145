// SPDX-License-Identifier: MIT
// What a client may not do to the daemon: send too much, send too slowly, hold
// idle connections, hold too many of them, never read. One bad client is cut
// or held back; the others notice nothing.
#include <sys/resource.h>

#include "support/daemon.h"
#include "support/http.h"
#include "support/status.h"
#include "support/test.h"

namespace distributex::test {
namespace {

using Seconds = std::chrono::duration<double>;

constexpr std::string_view impatient = R"(request_timeout: 1
idle_timeout: 1
max_header_size: 2048
max_body_size: 1024
pools:
  - name: one
)";

constexpr std::string_view idle_long = R"(request_timeout: 1
idle_timeout: 1000
pools:
  - name: one
)";

constexpr std::string_view patient = R"(max_connections: 40
max_waiting: 3
request_timeout: 1000
idle_timeout: 1000
pools:
  - name: one
)";

struct Fixture {
  explicit Fixture(std::string_view config) : daemon(config) {}
  Daemon daemon;

  bool begin() { return daemon.start(); }
  bool finish() { return daemon.stop(); }
  uint16_t port() const { return daemon.port(); }
};

struct Impatient : Fixture {
  Impatient() : Fixture(impatient) {}
};

struct IdleLong : Fixture {
  IdleLong() : Fixture(idle_long) {}
};

struct Patient : Fixture {
  Patient() : Fixture(patient) {}
};

// A sanitizer's own memory hides what the daemon uses.
void check_growth(const Fixture& f, long before, long most) {
  const long grown = f.daemon.rss_kib() - before;
  assert_that(sanitized || grown < most, "it has grown by %ld KiB", grown);
}

std::string padded_request(size_t padding) {
  return get_request("/get?pool=one&host=a", "X-Padding: " + std::string(padding, 'x') + "\r\n");
}

// The bytes end the connection and are not taken for a request. The answer
// may be lost in the reset that follows a close with bytes unread.
void check_refused(Fixture& f, std::string_view bytes, std::initializer_list<int> statuses) {
  Connection client(f.port());
  client.send(bytes);
  const std::optional<Response> response = client.response();
  bool known = !response;
  for (const int status : statuses) {
    known = known || response->status == status;
  }
  assert_that(known, "the answer is %d", response ? response->status : 0);
  assert_true(client.wait_end() != End::none);
  assert_text(holders_of(f.port(), "one"), "");
}

void refuses_a_head_that_is_too_long(void** state) {
  Fixture& f = fixture_of<Impatient>(state);
  const std::initializer_list<int> statuses = {400, 413, 414, 431};
  assert_text(word(f.port(), "/livez?" + std::string(1500, 'x')), "ok\n");
  check_refused(f, padded_request(3000), statuses);
  check_refused(f, padded_request(300000), statuses);
  check_refused(f, get_request("/get?pool=one&host=a&x=" + std::string(3000, 'x')), statuses);
  check_refused(f, "GET /" + std::string(1 << 20, 'x'), statuses);
  assert_text(word(f.port(), "/get?pool=one&host=a"), "YES");
}

void bounds_the_memory_of_many_headers(void** state) {
  Fixture& f = fixture_of<Impatient>(state);
  std::string lines;
  for (int i = 0; i < 100000; ++i) {
    lines += ":\r\n";
  }
  const long before = f.daemon.rss_kib();
  for (int i = 0; i < 10; ++i) {
    Connection client(f.port());
    client.send("GET /get?pool=one&host=a HTTP/1.1\r\n" + lines);
    assert_true(client.wait_end() != End::none);
  }
  check_growth(f, before, 4096);
  assert_text(holders_of(f.port(), "one"), "");
}

void refuses_a_body_that_is_too_long(void** state) {
  Fixture& f = fixture_of<Impatient>(state);
  const std::string form = "pool=one&host=a&x=";
  check_refused(f, post_request("/get", form + std::string(3000, 'x')), {413});
  check_refused(f, post_request("/get", form + std::string(1 << 20, 'x')), {413});
  check_refused(f, "POST /get HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000000\r\n\r\n", {413});
  check_refused(f, "POST /get HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999999999999999\r\n\r\n",
                {400, 413});
  check_refused(f,
                "POST /get HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
                "40000\r\n" +
                    std::string(0x40000, 'x') + "\r\n0\r\n\r\n",
                {400, 413});
  Connection client(f.port());
  assert_true(client.send(post_request("/get", form + std::string(900, 'x'))));
  assert_text(client.response()->body, "YES");
}

// Sends the start, then a byte of the rest now and then, until it is cut.
Seconds drip(uint16_t port, std::string_view start, std::string_view rest) {
  Connection client(port);
  const Clock::time_point begin = Clock::now();
  assert_true(client.send(start));
  for (const char byte : rest) {
    if (client.wait_end(milliseconds{100}) != End::none) {
      break;
    }
    client.send(std::string_view(&byte, 1));
  }
  assert_true(client.wait_end() != End::none);
  return Clock::now() - begin;
}

void check_cut(Seconds after) {
  assert_that(after >= Seconds{0.9} && after < Seconds{9}, "cut after %f s", after.count());
}

void cuts_an_unfinished_request_and_leaves_the_parked(void** state) {
  Fixture& f = fixture_of<Impatient>(state);
  assert_text(word(f.port(), "/get?pool=one&host=h"), "YES");
  Connection parked(f.port());
  assert_true(parked.send(get_request("/wait?pool=one&host=a")));
  assert_true(wait_for_waiting(f.port(), "one", 1));
  check_cut(drip(f.port(), "GET /get?pool=one", ""));
  check_cut(drip(f.port(), "POST /get HTTP/1.1\r\nContent-Length: 20\r\n\r\npool=one", ""));
  assert_true(parked.quiet());
  assert_text(word(f.port(), "/release?pool=one&host=h"), "OK");
  assert_text(parked.response()->body, "YES");
}

void cuts_a_request_that_drips(void** state) {
  Fixture& f = fixture_of<Impatient>(state);
  const std::string drops(150, 'x');
  check_cut(drip(f.port(), "GET /get?pool=one&host=", drops));
  check_cut(drip(f.port(), "POST /get HTTP/1.1\r\nContent-Length: 1000\r\n\r\n", drops));
}

// evhttp waits for the end of a chunk's first line, however long it is. The daemon then reads
// no more, and so would not see the client's end either.
void cuts_a_chunk_without_an_end(void** state) {
  Fixture& f = fixture_of<Impatient>(state);
  const long before = f.daemon.open_files();
  const std::string head = "POST /get HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n";
  for (const size_t size : {20000U, 100000U}) {
    Connection client(f.port());
    const Clock::time_point start = Clock::now();
    (void)client.send_some(head + std::string(size, '1'));
    assert_true(client.wait_end() != End::none);
    check_cut(Clock::now() - start);
    Connection gone(f.port());
    (void)gone.send_some(head + std::string(size, '1'));
  }
  assert_true(eventually([&] { return f.daemon.open_files() == before; }));
}

void cuts_a_connection_that_idles(void** state) {
  Fixture& f = fixture_of<Impatient>(state);
  Connection never(f.port());
  Connection once(f.port());
  const Clock::time_point start = Clock::now();
  assert_text(word(once, "/livez"), "ok\n");
  assert_int_equal(once.wait_end(), End::eof);
  check_cut(Clock::now() - start);
  assert_int_equal(never.wait_end(), End::eof);
}

void times_a_request_from_its_first_byte(void** state) {
  Fixture& f = fixture_of<IdleLong>(state);
  Connection used(f.port());
  assert_text(word(used, "/livez"), "ok\n");
  check_cut(drip(f.port(), "GET /", ""));  // takes as long as the other connection may be idle
  assert_text(word(used, "/livez"), "ok\n");
  const Clock::time_point start = Clock::now();
  assert_true(used.send("GET /"));
  assert_true(used.wait_end() != End::none);
  check_cut(Clock::now() - start);
}

void parks_longer_than_all_timeouts(void** state) {
  Fixture& f = fixture_of<Impatient>(state);
  assert_text(word(f.port(), "/get?pool=one&host=h"), "YES");
  Connection parked(f.port());
  assert_true(parked.send(get_request("/wait?pool=one&host=a")));
  assert_true(wait_for_waiting(f.port(), "one", 1));
  for (int i = 0; i < 2; ++i) {  // twice the time after which idle connections are cut
    Connection idle(f.port());
    assert_true(idle.wait_end() != End::none);
  }
  assert_true(parked.quiet());
  assert_text(word(f.port(), "/release?pool=one&host=h"), "OK");
  assert_text(parked.response()->body, "YES");
  assert_int_equal(parked.wait_end(), End::eof);
  assert_text(holders_of(f.port(), "one"), "a");
}

std::vector<Connection> fill(Fixture& f, size_t count) {
  std::vector<Connection> taken;
  for (size_t i = 0; i < count; ++i) {
    taken.emplace_back(f.port());
    assert_text(word(taken.back(), "/livez"), "ok\n");
  }
  return taken;
}

void refuses_connections_above_the_cap_clearly(void** state) {
  Fixture& f = fixture_of<Patient>(state);
  std::vector<Connection> taken = fill(f, 40);
  Connection surplus(f.port());
  const Response refusal = fetch(surplus, "/get?pool=one&host=late");
  assert_int_equal(refusal.status, 503);
  assert_text(refusal.body, "NO");
  assert_text(refusal.header("Distributex-Result"), "unavailable");
  assert_true(!refusal.header("Retry-After").empty());
  assert_true(!refusal.header("Distributex-Error").empty());
  assert_text(refusal.header("Connection"), "close");
  assert_int_equal(surplus.wait_end(), End::eof);
  assert_text(word(taken[7], "/get?pool=one&host=a"), "YES");
  taken.pop_back();
  assert_true(eventually([&] { return fetch(f.port(), "/livez").status == 200; }));
}

void bears_far_more_connections_than_it_takes(void** state) {
  Fixture& f = fixture_of<Patient>(state);
  std::vector<Connection> taken = fill(f, 40);
  std::vector<Connection> crowd;
  for (int i = 0; i < 400; ++i) {
    crowd.emplace_back(f.port());
  }
  assert_int_equal(crowd.back().wait_end(), End::eof);
  assert_true(eventually([&] { return f.daemon.open_files() < 200; }));
  for (Connection& one : taken) {
    assert_text(word(one, "/livez"), "ok\n");
  }
  crowd.clear();
  taken.clear();
  assert_true(eventually([&] { return fetch(f.port(), "/livez").status == 200; }));
}

void bounds_the_waiters_of_a_pool(void** state) {
  Fixture& f = fixture_of<Patient>(state);
  assert_text(word(f.port(), "/get?pool=one&host=h"), "YES");
  std::vector<Connection> parked;
  for (int i = 0; i < 3; ++i) {
    parked.emplace_back(f.port());
    assert_true(parked.back().send(get_request("/wait?pool=one&host=w" + std::to_string(i))));
  }
  assert_true(wait_for_waiting(f.port(), "one", 3));
  const Response refusal = fetch(f.port(), "/wait?pool=one&host=late");
  assert_int_equal(refusal.status, 503);
  assert_text(refusal.body, "NO");
  assert_true(!refusal.header("Retry-After").empty());
  assert_text(word(f.port(), "/get?pool=one&host=late"), "NO");
  assert_int_equal(pool_state(f.port(), "one").waiting.size(), 3);
}

void set_max_files(const Fixture& f, rlim_t files) {
  rlimit limit{};
  assert_int_equal(prlimit(f.daemon.pid(), RLIMIT_NOFILE, nullptr, &limit), 0);
  limit.rlim_cur = files;
  assert_int_equal(prlimit(f.daemon.pid(), RLIMIT_NOFILE, &limit, nullptr), 0);
}

void rests_and_recovers_when_descriptors_run_out(void** state) {
  Fixture& f = fixture_of<Patient>(state);
  Connection early(f.port());
  assert_text(word(early, "/livez"), "ok\n");
  set_max_files(f, static_cast<rlim_t>(f.daemon.open_files()) + 4);
  std::vector<Connection> crowd;
  for (int i = 0; i < 30; ++i) {
    crowd.emplace_back(f.port());
  }
  assert_true(crowd.back().send(get_request("/livez")));
  const milliseconds before = f.daemon.cpu_time();
  assert_false(crowd.back().wait_readable(milliseconds{1000}));
  const milliseconds spent = f.daemon.cpu_time() - before;
  assert_that(spent < milliseconds{400}, "%ld ms of one second", static_cast<long>(spent.count()));
  assert_true(f.daemon.log_lines().size() < 100);
  assert_text(word(early, "/get?pool=one&host=a"), "YES");
  crowd.clear();
  assert_text(word(f.port(), "/get?pool=one&host=b"), "NO");
}

void holds_back_a_client_that_never_reads(void** state) {
  Fixture& f = fixture_of<Patient>(state);
  Connection greedy(f.port());
  const long before = f.daemon.rss_kib();
  assert_true(stuff(greedy, get_request("/status/")));
  check_growth(f, before, 8192);
  assert_text(word(f.port(), "/get?pool=one&host=a"), "YES");
  assert_true(greedy.response().has_value());
}

}  // namespace
}  // namespace distributex::test

int main() {
  using namespace distributex::test;
  const CMUnitTest tests[] = {
      test_with(Impatient, refuses_a_head_that_is_too_long),
      test_with(Impatient, bounds_the_memory_of_many_headers),
      test_with(Impatient, refuses_a_body_that_is_too_long),
      test_with(Impatient, cuts_an_unfinished_request_and_leaves_the_parked),
      test_with(Impatient, cuts_a_request_that_drips),
      test_with(Impatient, cuts_a_chunk_without_an_end),
      test_with(Impatient, cuts_a_connection_that_idles),
      test_with(IdleLong, times_a_request_from_its_first_byte),
      test_with(Impatient, parks_longer_than_all_timeouts),
      test_with(Patient, refuses_connections_above_the_cap_clearly),
      test_with(Patient, bears_far_more_connections_than_it_takes),
      test_with(Patient, bounds_the_waiters_of_a_pool),
      test_with(Patient, rests_and_recovers_when_descriptors_run_out),
      test_with(Patient, holds_back_a_client_that_never_reads),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
