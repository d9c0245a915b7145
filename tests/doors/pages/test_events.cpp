// SPDX-License-Identifier: MIT
// Which events a reader of /events/ asks for by its query, and which queries are
// refused.
#include "doors/pages/events.h"
#include "support/test.h"

using namespace distributex;
using namespace distributex::test;

namespace {

constexpr uint64_t start = 1'790'000'000'000'000;  // microseconds: September 2026

struct Row {
  const char* query;
  const char* last_id;
  const char* hosts;  // of the events taken; "-": refused
};

// The events: host a in pool p, host b in pool q, host a in pool q, a second
// between them.
constexpr Row filters[] = {
    {"", "", "a b a"},
    {"pool=q", "", "b a"},
    {"host=a", "", "a a"},
    {"host=a&pool=q", "", "a"},
    {"host=nobody", "", ""},
    {"since=0", "", "a b a"},
    {"since=1790000000", "", "a b a"},
    {"since=1790000001", "", "b a"},
    {"since=1790000001.5", "", "a"},
    {"since=1790000009", "", ""},
    {"since=1790000000000001", "", "a"},
    {"since=1790000000000002", "", ""},
    {"", "1790000000000000", "b a"},
    {"since=0", "1790000000000001", "a"},
    {"", "not ours", "a b a"},
    {"since=x", "", "-"},
    {"since=-1", "", "-"},
    {"since=1e9", "", "-"},
    {"since=nan", "", "-"},
    {"since=1790000000000001.5", "", "-"},
    {"since=99999999999999999999999", "", "-"},
    {"since=", "", "-"},
    {"since=x", "1790000000000001", "-"},
    {"pool=%ff", "", "-"},
    {"pool=", "", "-"},
    {"host=%zz", "", "-"},
    {"host=", "", "-"},
    {"follow=", "", "-"},
    {"follow=%00", "", "-"},
    {"follow=yes", "", "-"},
    {"follow=true", "", "-"},
    {"follow=2", "", "-"},
    {"follow=01", "", "-"},
    {"follow=1%20", "", "-"},
    {"follow=0", "", "a b a"},
};

void reader_gets_what_its_query_names(void**) {
  EventRing ring{10, start};
  const std::pair<const char*, const char*> told[] = {{"p", "a"}, {"q", "b"}, {"q", "a"}};
  uint64_t wall = start;
  for (const auto& [pool, host] : told) {
    ring.add({.wall_us = wall, .pool = pool, .host = host});
    wall += 1'000'000;
  }
  for (const Row& row : filters) {
    const auto read = read_event_filter(row.query, row.last_id);
    const auto* filter = std::get_if<EventFilter>(&read);
    std::string hosts = filter ? "" : "-";
    ring.each_after(0, [&](const LockEvent& event) {
      if (filter && filter->takes(event)) {
        hosts.append(hosts.empty() ? "" : " ").append(event.host);
      }
    });
    assert_that(hosts == row.hosts, "%s, %s: %s", row.query, row.last_id, hosts.c_str());
  }
}

void follows_where_the_query_says_so(void**) {
  const auto follows = [](const char* query) {
    return std::get<EventFilter>(read_event_filter(query, "")).follow;
  };
  assert_true(follows("follow=1"));
  assert_true(follows("pool=p&follow=1"));
  assert_false(follows("follow=0"));
  assert_false(follows(""));
}

}  // namespace

int main() {
  const CMUnitTest tests[] = {
      cmocka_unit_test(reader_gets_what_its_query_names),
      cmocka_unit_test(follows_where_the_query_says_so),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
