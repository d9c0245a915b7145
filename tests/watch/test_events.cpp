// SPDX-License-Identifier: MIT
// The ring of events, and what one looks like as JSON. No sockets; what goes over
// the wire is in wire/test_events.cpp.
#include <algorithm>

#include "support/status.h"
#include "support/test.h"
#include "watch/events.h"

using namespace distributex;
using namespace distributex::test;
using std::chrono::milliseconds;

namespace {

constexpr uint64_t start = 1'790'000'000'000'000;  // microseconds: September 2026

LockEvent event_of(std::string_view host) {
  return {.wall_us = start, .what = What::granted, .pool = "pool", .host = host};
}

std::string hosts_after(const EventRing& ring, uint64_t seq) {
  std::string hosts;
  ring.each_after(seq, [&](const LockEvent& event) {
    hosts.append(hosts.empty() ? "" : " ").append(event.host);
  });
  return hosts;
}

// Too long for the small buffer inside a std::string.
std::string long_name(int number) { return std::string(40, 'x') + std::to_string(number); }

void keeps_the_newest_oldest_first(void**) {
  EventRing ring{3, start};
  assert_text(hosts_after(ring, 0), "");
  for (const char* host : {"a", "b"}) {
    ring.add(event_of(host));
  }
  assert_text(hosts_after(ring, 0), "a b");
  for (const char* host : {"c", "d", "e", "f"}) {
    ring.add(event_of(host));
  }
  assert_text(hosts_after(ring, 0), "d e f");
}

void numbers_rise_by_one_from_the_wall_clock(void**) {
  EventRing ring{2, start};
  std::vector<uint64_t> seen;
  for (int i = 0; i < 3; ++i) {
    ring.add(event_of("h"));
  }
  ring.each_after(0, [&](const LockEvent& event) { seen.push_back(event.seq); });
  assert_true(seen == (std::vector{start + 1, start + 2}));
  assert_int_equal(ring.last_seq(), start + 2);
}

void begins_behind_the_number_that_a_reader_has_seen(void**) {
  EventRing ring{3, start};
  for (const char* host : {"a", "b", "c", "d", "e"}) {
    ring.add(event_of(host));
  }
  assert_text(hosts_after(ring, start + 1), "c d e");
  assert_text(hosts_after(ring, start + 2), "d e");
  assert_text(hosts_after(ring, start + 3), "e");
  assert_text(hosts_after(ring, start + 4), "");
  assert_text(hosts_after(ring, UINT64_MAX), "");
}

void keeps_the_newest_when_its_room_changes(void**) {
  EventRing ring{4, start};
  for (const char* host : {"a", "b", "c", "d", "e", "f"}) {
    ring.add(event_of(host));
  }
  ring.set_capacity(2);
  assert_text(hosts_after(ring, 0), "e f");
  ring.add(event_of("g"));
  assert_text(hosts_after(ring, 0), "f g");
  ring.set_capacity(4);
  for (const char* host : {"h", "i"}) {
    ring.add(event_of(host));
  }
  assert_text(hosts_after(ring, 0), "f g h i");
  ring.add(event_of("j"));
  assert_text(hosts_after(ring, start + 7), "i j");
}

void copies_what_it_keeps(void**) {
  EventRing ring{50, start};
  for (int i = 0; i < 120; ++i) {
    std::string pool = long_name(i);
    std::string host = long_name(i + 1000);
    std::string peer = i % 2 == 0 ? "" : long_name(i + 2000);
    ring.add({.pool = pool, .host = host, .id = "id", .peer = peer});
    std::fill(pool.begin(), pool.end(), '?');
    std::fill(host.begin(), host.end(), '?');
  }
  int i = 70;
  ring.each_after(0, [&](const LockEvent& event) {
    assert_text(event.pool, long_name(i));
    assert_text(event.host, long_name(i + 1000));
    assert_text(event.id, "id");
    assert_text(event.peer, i % 2 == 0 ? "" : long_name(i + 2000));
    assert_text(event.error, "");
    ++i;
  });
  assert_int_equal(i, 120);
}

void shows_all_members_as_json(void**) {
  const LockEvent event{.seq = start + 7,
                        .wall_us = start + 12'345,
                        .what = What::released,
                        .pool = "nightly",
                        .host = "web1",
                        .id = "run 7",
                        .token = max_token,
                        .waited = milliseconds{1500},
                        .held = std::chrono::microseconds{2'000'999},
                        .peer = "[2001:db8::1]:4711",
                        .verb = "release",
                        .error = "none"};
  assert_text(event_json(event),
              R"({"seq":1790000000000007,"time":1790000000.012,"event":"released",)"
              R"("pool":"nightly","host":"web1","id":"run 7","token":9007199254740991,)"
              R"("waited":1.5,"held":2.0,"peer":"[2001:db8::1]:4711","verb":"release",)"
              R"("error":"none"})");
}

void leaves_out_what_is_not_there(void**) {
  assert_text(event_json({.seq = 1, .what = What::cancelled, .pool = "p", .host = "h"}),
              R"({"seq":1,"time":0.0,"event":"cancelled","pool":"p","host":"h"})");
}

void keeps_one_line_whatever_a_name_holds(void**) {
  const std::string bytes{"<script>\"\\\n\r\t\0\x7f\xc3\xa9\xff\xfe", 19};
  const std::string line = event_json({.seq = 1, .pool = bytes, .host = "h"});
  assert_true(std::none_of(line.begin(), line.end(), [](char c) { return c >= 0 && c < ' '; }));
  const Json json = parse_json(line);
  assert_non_null(json.get());
  assert_true(test::json_text(json.get(), "pool").starts_with("<script>\""));
}

}  // namespace

int main() {
  const CMUnitTest tests[] = {
      cmocka_unit_test(keeps_the_newest_oldest_first),
      cmocka_unit_test(numbers_rise_by_one_from_the_wall_clock),
      cmocka_unit_test(begins_behind_the_number_that_a_reader_has_seen),
      cmocka_unit_test(keeps_the_newest_when_its_room_changes),
      cmocka_unit_test(copies_what_it_keeps),
      cmocka_unit_test(shows_all_members_as_json),
      cmocka_unit_test(leaves_out_what_is_not_there),
      cmocka_unit_test(keeps_one_line_whatever_a_name_holds),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
