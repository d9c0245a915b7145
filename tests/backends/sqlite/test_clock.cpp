// SPDX-License-Identifier: MIT
// The arithmetic that carries the end of a lease over a restart. In each row the
// store was seen last at monotonic 1000 s and wall 50000 s, with a lease that
// ends at monotonic 1100 s: 100 s are left.
#include "backends/sqlite/clock.h"
#include "support/test.h"

namespace distributex::test {
namespace {

constexpr int64_t s = 1'000'000'000;
constexpr int64_t wall_s = 1'000'000;
constexpr uint64_t container = first_time_namespace + 7;

struct Case {
  const char* what;
  const char* boot;  // the store's is "one"
  uint64_t timens;
  int64_t mono, wall, uptime;  // now, in seconds
  bool same;
  int64_t left;  // of the lease, in seconds
};

// clang-format off
constexpr Case cases[] = {
    {"at once",                        "one", first_time_namespace, 1000, 50000, 1000, true,  100},
    {"after 30 s",                     "one", first_time_namespace, 1030, 50030, 1030, true,   70},
    {"wall clock set ahead",           "one", first_time_namespace, 1030, 90000, 1030, true,   70},
    {"wall clock set back",            "one", first_time_namespace, 1030,     0, 1030, true,   70},
    {"asleep for 500 s",               "one", first_time_namespace, 1030, 50530, 1530, true,   70},
    {"its end is past",                "one", first_time_namespace, 1200, 50200, 1200, true, -100},
    {"rebooted, 20 s off, up for 10",  "two", first_time_namespace,   10, 50030,   10, false,  90},
    {"rebooted, up for long",          "two", first_time_namespace,   60, 50060,   60, false,  40},
    {"rebooted, clock hours ahead",    "two", first_time_namespace,   10, 57200,   10, false,  90},
    {"rebooted, clock set back",       "two", first_time_namespace,   10, 40000,   10, false, 100},
    {"rebooted, off for a day",        "two", first_time_namespace,    9, 136400,   9, false,  91},
    {"rebooted, served late",          "two", first_time_namespace,  900, 50910,  900, false,   0},
    {"moved to a machine long up",     "two", first_time_namespace, 9000000, 50005, 9000000, false, 95},
    {"the boot is not known",          "",    first_time_namespace, 1030, 50030, 1030, false,  70},
    {"the clock ran backwards",        "one", first_time_namespace,  900, 50030, 1030, false,  70},
    {"in a time namespace",            "one", container,            1030, 50030, 1030, false, 100},
    {"a namespace that is not known",  "one", 0,                    1030, 50030, 1030, false, 100},
    {"a wall clock before 1970",       "two", first_time_namespace,   10,   -10,   10, false, 100},
};
// clang-format on

StoreMeta seen() {
  StoreMeta meta;
  meta.boot = "one";
  meta.timens = first_time_namespace;
  meta.seen_mono = 1000 * s;
  meta.seen_wall = 50000 * wall_s;
  return meta;
}

StoreMoment moment(const Case& c) {
  return {.boot = c.boot,
          .timens = c.timens,
          .machine = {},
          .mono = c.mono * s,
          .wall = c.wall * wall_s,
          .uptime = c.uptime * s};
}

StoreRow lease() {
  StoreRow row;
  row.token = 1;
  row.since_wall = 49900 * wall_s;
  row.since_mono = 900 * s;
  row.length = 200;
  row.ends = 1100 * s;
  return row;
}

void an_end_is_carried_over(void**) {
  for (const Case& c : cases) {
    const StoreMoment now = moment(c);
    StoreRow row = lease();
    assert_that(is_same_boot(seen(), now) == c.same, "%s", c.what);
    if (!c.same) {
      carry_over(row, seen(), now);
    }
    const int64_t left = *row.ends - now.mono;
    assert_that(left == c.left * s, "%s: %ld s are left", c.what, static_cast<long>(left / s));
  }
}

// The machine was off for most of the time: its uptime says 10 s, the wall clock 60.
void a_freeze_counts_on_by_the_wall_clock(void**) {
  StoreMoment now = moment(cases[6]);
  now.boot = "two";
  now.mono = 10 * s;
  now.uptime = 10 * s;
  now.wall = 50060 * wall_s;
  StoreRow freeze = lease();
  freeze.kind = StoreKind::freeze;
  carry_over(freeze, seen(), now);
  assert_int_equal(*freeze.ends - now.mono, 40 * s);
  StoreRow held = lease();
  carry_over(held, seen(), now);
  assert_int_equal(*held.ends - now.mono, 90 * s);
}

void a_lease_without_end_has_none_afterwards(void**) {
  StoreRow row = lease();
  row.ends.reset();
  carry_over(row, seen(), moment(cases[6]));
  assert_false(row.ends.has_value());
}

// By the wall clock the store was last seen 30 s ago, and the grant was 130 s ago.
void its_beginning_is_the_wall_clock_s(void**) {
  StoreRow row = lease();
  carry_over(row, seen(), moment(cases[6]));
  assert_int_equal((10 * s - row.since_mono) / s, 130);
}

// Whatever times stand in a store that counts as whole, nothing overflows.
void no_clock_is_too_wrong(void**) {
  for (const int64_t wall : {INT64_MIN, int64_t{0}, INT64_MAX}) {
    for (const int64_t past : {INT64_MIN, int64_t{0}, INT64_MAX}) {
      StoreMeta meta = seen();
      meta.seen_wall = past;
      Case c = cases[6];
      StoreMoment now = moment(c);
      now.wall = wall;
      StoreRow row = lease();
      row.since_wall = past;
      carry_over(row, meta, now);
      assert_true(*row.ends >= now.mono && *row.ends <= now.mono + 100 * s);
    }
  }
}

void the_system_has_a_boot_and_clocks(void**) {
  const StoreMoment now = store_moment();
  assert_true(!now.boot.empty() && now.boot.find('-') == std::string::npos);
  assert_true(now.timens != 0 && now.mono > 0 && now.wall > 0 && now.uptime > 0);
  setenv("DISTRIBUTEX_BOOT_ID", "0123-4567", 1);
  assert_text(store_moment().boot, "01234567");
  unsetenv("DISTRIBUTEX_BOOT_ID");
}

}  // namespace
}  // namespace distributex::test

int main() {
  using namespace distributex::test;
  const CMUnitTest tests[] = {
      cmocka_unit_test(an_end_is_carried_over),
      cmocka_unit_test(a_freeze_counts_on_by_the_wall_clock),
      cmocka_unit_test(a_lease_without_end_has_none_afterwards),
      cmocka_unit_test(its_beginning_is_the_wall_clock_s),
      cmocka_unit_test(no_clock_is_too_wrong),
      cmocka_unit_test(the_system_has_a_boot_and_clocks),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
