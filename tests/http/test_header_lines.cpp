// SPDX-License-Identifier: MIT
// The lines that the headers of a reply become.
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "http/header_lines.h"
#include "support/log_pipe.h"
#include "support/test.h"

using namespace distributex;
using namespace distributex::test;

namespace {

struct Fixture {
  LogPipe log;
  HeaderLines lines;
  std::string expected;
  std::string value;
  std::vector<std::pair<std::string, std::string>> added;
};

void has_a_line_for_each_header(void** state) {
  auto& f = fixture_of<Fixture>(state);
  assert_text(f.lines.text(), "");
  f.lines.add("A", "b: c");
  f.lines.add("Empty", "");
  f.lines.add("Number", uint64_t{18446744073709551615U});
  f.lines.add("Zero", uint64_t{0});
  assert_text(f.lines.text(), "A: b: c\r\nEmpty: \r\nNumber: 18446744073709551615\r\nZero: 0\r\n");
}

// Also where the lines no longer fit into the object, exactly and by one.
void keeps_lines_of_any_length(void** state) {
  auto& f = fixture_of<Fixture>(state);
  for (size_t first = 300; first < 330; ++first) {
    f.lines = {};
    f.value.assign(first, 'x');
    f.lines.add("A", f.value);
    f.lines.add("B", "y");
    f.lines.add("C", uint64_t{7});
    f.expected = "A: " + f.value + "\r\nB: y\r\nC: 7\r\n";
    assert_text(f.lines.text(), f.expected);
    const HeaderLines copy = f.lines;
    assert_text(copy.text(), f.expected);
  }
}

void refuses_a_value_that_ends_its_line(void** state) {
  auto& f = fixture_of<Fixture>(state);
  f.log.open_log(Level::info);
  f.lines.add("Before", "1");
  for (const std::string_view bad : {std::string_view{"a\rb"}, std::string_view{"a\nSet-Cookie: b"},
                                     std::string_view{"a\0b", 3}, std::string_view{"\n"}}) {
    f.log.text.clear();
    f.log.logging([&] {
      f.lines.add("Bad", bad);
      log_flush();
    });
    f.log.drain();
    assert_true(f.log.text.find("reply header refused name=Bad\n") != std::string::npos);
  }
  f.lines.add("After", "tab\tand \x80 pass");
  assert_text(f.lines.text(), "Before: 1\r\nAfter: tab\tand \x80 pass\r\n");
}

void gives_back_what_was_added(void** state) {
  auto& f = fixture_of<Fixture>(state);
  std::mt19937 random(20261126);
  for (int round = 0; round < 500; ++round) {
    f.lines = {};
    f.added.clear();
    for (auto i = random() % 12; i > 0; --i) {
      f.value.clear();
      for (auto n = random() % 60; n > 0; --n) {
        f.value += " :\tabc\x7f\xff"[random() % 8];
      }
      f.added.emplace_back("Name-" + std::to_string(i), f.value);
      f.lines.add(f.added.back().first, f.value);
    }
    std::string_view rest = f.lines.text();
    Header header;
    for (const auto& [name, value] : f.added) {
      assert_true(take_header(rest, header));
      assert_text(header.name, name);
      assert_text(header.value, value);
    }
    assert_false(take_header(rest, header));
  }
}

}  // namespace

int main() {
  const CMUnitTest tests[] = {
      test_with(Fixture, has_a_line_for_each_header),
      test_with(Fixture, keeps_lines_of_any_length),
      test_with(Fixture, refuses_a_value_that_ends_its_line),
      test_with(Fixture, gives_back_what_was_added),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
