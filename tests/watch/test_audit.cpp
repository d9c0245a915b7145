// SPDX-License-Identifier: MIT
// The audit trail's lines: every field in its place, and no name that a client
// can choose makes a second line, a second field, or leaves its quotes.
#include <algorithm>

#include "support/test.h"
#include "watch/audit.h"

using namespace distributex;
using std::chrono::milliseconds;

namespace {

std::string line_of(const LockEvent& event) { return std::string{AuditLine{event}.text()}; }

std::string line_with_host(std::string_view host) {
  return line_of({.what = What::busy, .pool = "p", .host = host});
}

void has_every_field_in_a_fixed_order(void**) {
  assert_text(line_of({.seq = 9,
                       .wall_us = 1'790'000'000'012'999,
                       .what = What::granted,
                       .pool = "nightly",
                       .host = "web1.example.com",
                       .id = "run-7",
                       .token = max_token,
                       .waited = milliseconds{61'005},
                       .held = milliseconds{1},
                       .peer = "[2001:db8::1]:4711",
                       .verb = "wait",
                       .error = "a=b"}),
              "event=granted time=1790000000.012 verb=wait pool=nightly host=web1.example.com "
              "id=run-7 token=9007199254740991 waited=61.005 held=0.001 peer=[2001:db8::1]:4711 "
              "error=\"a\\x3db\"");
}

// The digits of a second are kept from one line to the next.
void shows_each_time_exactly(void**) {
  constexpr std::pair<uint64_t, const char*> rows[] = {{1'790'000'000'999'999, "1790000000.999"},
                                                       {1'790'000'001'000'000, "1790000001.000"},
                                                       {1'790'000'001'050'000, "1790000001.050"},
                                                       {1'790'000'000'999'000, "1790000000.999"},
                                                       {999'999, "0.999"},
                                                       {9'999'999'999'000'000, "9999999999.000"},
                                                       {10'000'000'000'001'000, "10000000000.001"}};
  for (const auto& [wall_us, text] : rows) {
    assert_text(line_of({.wall_us = wall_us, .what = What::busy}),
                std::string{"event=busy time="} + text);
  }
}

void leaves_out_what_is_not_there(void**) {
  assert_text(line_of({.what = What::not_held, .pool = "p", .host = "h"}),
              "event=not-held time=0.000 pool=p host=h");
}

void names_each_event(void**) {
  const std::pair<What, const char*> all[] = {
      {What::granted, "granted"}, {What::released, "released"},       {What::expired, "expired"},
      {What::timeout, "timeout"}, {What::cancelled, "cancelled"},     {What::lost, "lost"},
      {What::refused, "refused"}, {What::undelivered, "undelivered"}, {What::busy, "busy"},
      {What::held, "held"},       {What::not_held, "not-held"},       {What::renewed, "renewed"}};
  for (const auto& [what, name] : all) {
    assert_text(line_of({.what = what}), std::string{"event="} + name + " time=0.000");
  }
}

struct Row {
  std::string_view host;
  const char* value;
};

constexpr Row hosts[] = {
    {"plain-name_1.example/x", "plain-name_1.example/x"},
    {"two words", R"("two words")"},
    {"a=b", R"("a\x3db")"},
    {R"(h" token=1)", R"("h\x22 token\x3d1")"},
    {R"(h\" token=1)", R"("h\x5c\x22 token\x3d1")"},
    {R"(back\slash)", R"("back\x5cslash")"},
    {"line\nevent=granted", R"("line\x0aevent\x3dgranted")"},
    {"\r\n", R"("\x0d\x0a")"},
    {std::string_view{"nul\0byte", 8}, R"("nul\x00byte")"},
    {"\x1b[2Jclear", R"("\x1b[2Jclear")"},
    {"\x7f", R"("\x7f")"},
    {"\u00e9t\u00e9", R"("\xc3\xa9t\xc3\xa9")"},
    {"\u2028", R"("\xe2\x80\xa8")"},
    {"\xff\x80", R"("\xff\x80")"},
};

void no_name_forges_a_line_or_a_field(void**) {
  for (const Row& row : hosts) {
    assert_text(line_with_host(row.host),
                std::string{"event=busy time=0.000 pool=p host="} + row.value);
  }
}

void every_byte_stays_within_its_value(void**) {
  for (int byte = 0; byte < 256; ++byte) {
    const std::string host = {'a', static_cast<char>(byte), 'b'};
    const std::string line = line_with_host(host);
    assert_true(std::all_of(line.begin(), line.end(), [](char c) { return c >= ' ' && c <= '~'; }));
    const std::string value = line.substr(line.find(" host=") + 6);
    const bool quoted = value.starts_with('"');
    if (quoted) {
      assert_int_equal(std::count(value.begin(), value.end(), '"'), 2);
    }
    if (quoted) {
      assert_true(value.ends_with('"'));
    }
    if (!quoted) {
      assert_text(value, host);
    }
  }
}

void longest_names_leave_room_for_all_fields(void**) {
  const std::string longest(255, '\x01');
  const std::string line = line_of({.what = What::granted,
                                    .pool = longest,
                                    .host = longest,
                                    .id = longest,
                                    .token = max_token,
                                    .waited = std::chrono::hours{1'000'000},
                                    .held = std::chrono::hours{1'000'000},
                                    .peer = "[2001:db8:1111:2222:3333:4444:5555:6666]:65535",
                                    .verb = "release",
                                    .error = "the last"});
  assert_true(
      line.ends_with(" peer=[2001:db8:1111:2222:3333:4444:5555:6666]:65535 "
                     "error=\"the last\""));
}

void longest_error_is_cut(void**) {
  const std::string longest(255, '\x01');
  const std::string line = line_of({.what = What::refused,
                                    .pool = longest,
                                    .host = longest,
                                    .id = longest,
                                    .peer = "unix",
                                    .error = std::string(5000, 'e')});
  assert_true(line.ends_with(" error=" + std::string(256, 'e')));
}

}  // namespace

int main() {
  const CMUnitTest tests[] = {
      cmocka_unit_test(has_every_field_in_a_fixed_order),
      cmocka_unit_test(shows_each_time_exactly),
      cmocka_unit_test(leaves_out_what_is_not_there),
      cmocka_unit_test(names_each_event),
      cmocka_unit_test(no_name_forges_a_line_or_a_field),
      cmocka_unit_test(every_byte_stays_within_its_value),
      cmocka_unit_test(longest_names_leave_room_for_all_fields),
      cmocka_unit_test(longest_error_is_cut),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
