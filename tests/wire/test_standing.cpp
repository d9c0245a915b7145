// SPDX-License-Identifier: MIT
// What a client that gets no lock is told of its place: in the headers and JSON of NO, and in
// /status/ with its positions and bounds.
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
  - name: many
    expire: 0
    maxlocks: 20
)";

constexpr std::string_view as_json = "Accept: application/json\r\n";

struct Fixture {
  Daemon daemon{pools};
  std::vector<Connection> waiters;

  bool begin() { return daemon.start(); }
  bool finish() { return daemon.stop(); }
  uint16_t port() const { return daemon.port(); }
  std::string word(std::string_view target) { return test::word(port(), target); }

  void park(const std::string& owner) {
    waiters.emplace_back(port());
    assert_true(waiters.back().send(get_request("/wait?pool=one&" + owner)));
    assert_true(wait_for_waiting(port(), "one", waiters.size()));
  }
  Json json(std::string_view target) { return parse_json(fetch(port(), target, as_json).body); }
  Json status(std::string_view query) {
    return parse_json(fetch(port(), "/status/" + std::string(query)).body);
  }
};

int64_t whole(const json_t* object, const char* key) {
  const json_t* value = json_object_get(object, key);
  return json_is_integer(value) ? json_integer_value(value) : -1;
}

const json_t* item(const json_t* object, const char* list, size_t index) {
  return json_array_get(json_object_get(object, list), index);
}

size_t length(const json_t* object, const char* list) {
  return json_array_size(json_object_get(object, list));
}

void text_no_names_the_holder_and_the_line(void** state) {
  Fixture& f = fixture_of<Fixture>(state);
  assert_text(f.word("/get?pool=one&host=h&id=run"), "YES");
  const Response first = fetch(f.port(), "/get?pool=one&host=x");
  assert_text(first.body, "NO");
  assert_text(first.header("Distributex-Holder"), "h/run");
  assert_text(first.header("Distributex-Waiting"), "0");
  f.park("host=a");
  const Response second = fetch(f.port(), "/wait?pool=one&host=x&timeout=0.01");
  assert_text(second.body, "NO");
  assert_text(second.header("Distributex-Holder"), "h/run");
  assert_text(second.header("Distributex-Waiting"), "1");
  for (const char* target : {"/get?pool=one&host=h&id=run", "/renew?pool=one&host=x",
                             "/release?pool=one&host=x", "/get?pool=nosuch&host=x"}) {
    const Response other = fetch(f.port(), target);
    assert_int_equal(other.count("Distributex-Holder"), 0);
    assert_int_equal(other.count("Distributex-Waiting"), 0);
  }
}

void holder_reaches_a_header_escaped_and_bounded(void** state) {
  Fixture& f = fixture_of<Fixture>(state);
  assert_text(f.word("/get?pool=one&host=%c3%a9%5c"), "YES");
  assert_text(fetch(f.port(), "/get?pool=one&host=x").header("Distributex-Holder"),
              R"(\xc3\xa9\x5c)");
  assert_text(f.word("/release?pool=one&host=%c3%a9%5c"), "OK");
  std::string longest;
  for (int i = 0; i < 127; ++i) {
    longest += "%c3%a9";
  }
  assert_text(f.word("/get?pool=one&host=" + longest + "&id=" + longest), "YES");
  const std::string header = fetch(f.port(), "/get?pool=one&host=x").header("Distributex-Holder");
  assert_true(header.size() <= 256 && header.ends_with("..."));
}

void json_no_tells_place_holders_and_line(void** state) {
  Fixture& f = fixture_of<Fixture>(state);
  assert_text(f.word("/get?pool=one&host=h&id=run"), "YES");
  f.park("host=a");
  f.park("host=b");
  const Json busy = f.json("/get?pool=one&host=x");
  assert_text(json_text(busy.get(), "result"), "busy");
  assert_int_equal(whole(busy.get(), "waiting"), 2);
  assert_int_equal(whole(busy.get(), "position"), 3);
  assert_int_equal(length(busy.get(), "holders"), 1);
  const json_t* holder = item(busy.get(), "holders", 0);
  assert_text(json_text(holder, "host"), "h");
  assert_text(json_text(holder, "id"), "run");
  assert_true(json_number_at(holder, "held").value_or(-1) >= 0);
  assert_true(json_number_at(holder, "expires_in").value_or(-1) > 50);
  assert_null(json_object_get(busy.get(), "estimate"));
  assert_int_equal(whole(f.json("/get?pool=one&host=b").get(), "position"), 2);
  const Json timeout = f.json("/wait?pool=one&host=x&timeout=0.01");
  assert_text(json_text(timeout.get(), "result"), "timeout");
  assert_int_equal(whole(timeout.get(), "position"), 3);
  const Json held = f.json("/get?pool=one&host=h&id=run");
  for (const char* key : {"holders", "waiting", "position"}) {
    assert_null(json_object_get(held.get(), key));
  }
}

void names_eight_holders_of_many(void** state) {
  Fixture& f = fixture_of<Fixture>(state);
  for (int i = 0; i < 20; ++i) {
    assert_text(f.word("/get?pool=many&host=h" + std::to_string(i)), "YES");
  }
  const Json busy = f.json("/get?pool=many&host=x");
  assert_int_equal(length(busy.get(), "holders"), 8);
  for (size_t i = 0; i < 8; ++i) {
    assert_text(json_text(item(busy.get(), "holders", i), "host"), "h" + std::to_string(i));
    assert_null(json_object_get(item(busy.get(), "holders", i), "expires_in"));
  }
}

// There is no estimate until a lock of the pool has been held and has ended.
void estimate_comes_from_earlier_holding(void** state) {
  Fixture& f = fixture_of<Fixture>(state);
  assert_text(f.word("/get?pool=one&host=h&expire=1"), "YES");
  assert_null(json_object_get(f.json("/get?pool=one&host=x").get(), "estimate"));
  assert_true(wait_for_holders(f.port(), "one", 0));
  assert_text(f.word("/get?pool=one&host=h"), "YES");
  f.park("host=a");
  f.park("host=b");
  const Json busy = f.json("/get?pool=one&host=x");
  const double third = json_number_at(busy.get(), "estimate").value_or(-1);
  assert_that(third >= 2 && third <= 3, "%f", third);
  const Json status = f.status("?pool=one");
  const json_t* pool = item(status.get(), "pools", 0);
  const double second = json_number_at(item(pool, "waiting", 1), "estimate").value_or(-1);
  assert_that(second >= 1 && second <= 2, "%f", second);
}

void status_counts_and_numbers_the_line(void** state) {
  Fixture& f = fixture_of<Fixture>(state);
  assert_text(f.word("/get?pool=one&host=h"), "YES");
  for (const char* owner : {"host=a", "host=b", "host=a&id=2"}) {
    f.park(owner);
  }
  const Json status = f.status("");
  const double now = static_cast<double>(time(nullptr));
  assert_true(std::abs(json_number_at(status.get(), "time").value_or(0) - now) < 30);
  const json_t* pool = item(status.get(), "pools", 0);
  assert_int_equal(whole(pool, "held"), 1);
  assert_int_equal(whole(pool, "queued"), 3);
  for (size_t i = 0; i < 3; ++i) {
    assert_int_equal(whole(item(pool, "waiting", i), "position"), i + 1);
  }
}

void status_lists_no_more_than_the_limit(void** state) {
  Fixture& f = fixture_of<Fixture>(state);
  assert_text(f.word("/get?pool=one&host=h"), "YES");
  for (const char* owner : {"host=a", "host=b", "host=c"}) {
    f.park(owner);
  }
  for (const size_t limit : {0U, 1U, 2U, 100U}) {
    const Json status = f.status("?limit=" + std::to_string(limit));
    const json_t* pool = item(status.get(), "pools", 0);
    assert_int_equal(whole(pool, "held"), 1);
    assert_int_equal(whole(pool, "queued"), 3);
    assert_int_equal(length(pool, "holders"), std::min<size_t>(limit, 1));
    assert_int_equal(length(pool, "waiting"), std::min<size_t>(limit, 3));
  }
}

void status_refuses_an_unsound_filter_and_shows_nothing(void** state) {
  Fixture& f = fixture_of<Fixture>(state);
  for (const char* bad :
       {"limit=x", "limit=-1", "limit=1.5", "limit=99999999999999999999999", "limit=", "pool=%ff",
        "pool=", "pool", "host=%00", "host=", "find=%zz", "find=", "pool=one&host=%ff"}) {
    const Response refused = fetch(f.port(), "/status/?" + std::string(bad));
    assert_that(refused.status == 400, "%s: status %d", bad, refused.status);
    const Json answer = parse_json(refused.body);
    assert_true(json_text(answer.get(), "error").starts_with("parameter \""));
    assert_null(json_object_get(answer.get(), "pools"));
  }
  assert_int_equal(length(f.status("?unknown=%ff").get(), "pools"), 2);
}

void status_shows_one_host_at_its_place(void** state) {
  Fixture& f = fixture_of<Fixture>(state);
  assert_text(f.word("/get?pool=one&host=h"), "YES");
  for (const char* owner : {"host=a", "host=b", "host=a&id=2"}) {
    f.park(owner);
  }
  const Json status = f.status("?pool=one&host=a");
  const json_t* pool = item(status.get(), "pools", 0);
  assert_int_equal(whole(pool, "held"), 1);
  assert_int_equal(length(pool, "holders"), 0);
  assert_int_equal(length(pool, "waiting"), 2);
  assert_int_equal(whole(item(pool, "waiting", 0), "position"), 1);
  assert_int_equal(whole(item(pool, "waiting", 1), "position"), 3);
  assert_text(json_text(item(pool, "waiting", 1), "id"), "2");
}

void status_finds_parts_of_hosts_and_ids(void** state) {
  Fixture& f = fixture_of<Fixture>(state);
  assert_text(f.word("/get?pool=one&host=Rack7-a"), "YES");
  for (const char* owner : {"host=a", "host=b&id=rack7", "host=c&id=rack8"}) {
    f.park(owner);
  }
  const Json status = f.status("?find=RACK7");
  const json_t* pool = item(status.get(), "pools", 0);
  assert_int_equal(length(pool, "holders"), 1);
  assert_int_equal(length(pool, "waiting"), 1);
  assert_int_equal(whole(item(pool, "waiting", 0), "position"), 2);
  assert_int_equal(length(item(f.status("?find=rack9").get(), "pools", 0), "waiting"), 0);
  assert_int_equal(length(item(f.status("?find=rack&limit=1").get(), "pools", 0), "waiting"), 1);
}

}  // namespace
}  // namespace distributex::test

int main() {
  using namespace distributex::test;
  const CMUnitTest tests[] = {
      test_with(Fixture, text_no_names_the_holder_and_the_line),
      test_with(Fixture, holder_reaches_a_header_escaped_and_bounded),
      test_with(Fixture, json_no_tells_place_holders_and_line),
      test_with(Fixture, names_eight_holders_of_many),
      test_with(Fixture, estimate_comes_from_earlier_holding),
      test_with(Fixture, status_counts_and_numbers_the_line),
      test_with(Fixture, status_lists_no_more_than_the_limit),
      test_with(Fixture, status_refuses_an_unsound_filter_and_shows_nothing),
      test_with(Fixture, status_shows_one_host_at_its_place),
      test_with(Fixture, status_finds_parts_of_hosts_and_ids),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
