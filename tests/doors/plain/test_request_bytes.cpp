// SPDX-License-Identifier: MIT
// What must hold for any bytes that a target, a query or a form may have: all
// short runs of the bytes that matter to UTF-8, and seeded random input. Inputs
// are copied to the heap to their exact size, so that the address sanitizer
// sees a read beyond them.
#include <jansson.h>

#include <algorithm>
#include <cstdio>
#include <random>
#include <vector>

#include "doors/plain/request.h"
#include "doors/query.h"
#include "http/target.h"
#include "support/parameters.h"
#include "support/test.h"

using namespace distributex;
using namespace distributex::test;
using namespace std::literals;

namespace {

struct Fixture {
  std::string text;
  std::string wanted;
  std::vector<char> query;
  std::vector<char> form;
  std::variant<Command, Complaint> parsed;
  std::mt19937 random{20260131};

  size_t below(size_t end) { return random() % end; }

  void parse(Verb verb, std::string_view new_query, std::string_view new_form = {}) {
    query.assign(new_query.begin(), new_query.end());
    query.shrink_to_fit();
    form.assign(new_form.begin(), new_form.end());
    form.shrink_to_fit();
    parsed = parse_parameters(verb, {query.data(), query.size()}, {form.data(), form.size()});
  }

  [[nodiscard]] bool sound() const { return std::holds_alternative<Command>(parsed); }
};

void add_percent_encoded(std::string& text, unsigned char byte) {
  char piece[4];
  std::snprintf(piece, sizeof piece, "%%%02x", byte);
  text += piece;
}

// Jansson's own check of UTF-8 is the judge.
bool is_utf8(const std::string& text) {
  json_t* value = json_stringn(text.data(), text.size());
  json_decref(value);
  return value != nullptr;
}

bool has_control(const std::string& text) {
  for (size_t i = 0; i < text.size(); ++i) {
    const auto byte = static_cast<unsigned char>(text[i]);
    if (byte < 0x20 || byte == 0x7f) {
      return true;
    }
    if (byte == 0xc2 && i + 1 < text.size() && static_cast<unsigned char>(text[i + 1]) < 0xa0) {
      return true;
    }
  }
  return false;
}

void name_is_strict_utf8_without_controls(void** state) {
  auto& f = fixture_of<Fixture>(state);
  constexpr std::string_view edges =
      "\x00\x1f\x20\x41\x7e\x7f\x80\x8f\x90\x9f\xa0\xbf\xc0\xc1\xc2\xdf\xe0\xec\xed\xee\xef\xf0\xf3"
      "\xf4\xf5\xf7\xf8\xff"sv;
  constexpr size_t count = edges.size();
  for (size_t n = 0; n < count * count * count * count; ++n) {
    f.wanted.clear();
    for (size_t rest = n; f.wanted.empty() || rest > 0; rest /= count) {
      f.wanted += edges[rest % count];
    }
    if (f.wanted.size() == 4 && f.random() % 16 != 0) {
      continue;
    }
    f.text = "pool=p&host=";
    for (const char c : f.wanted) {
      add_percent_encoded(f.text, static_cast<unsigned char>(c));
    }
    f.parse(Verb::get, f.text);
    const bool fine = is_utf8(f.wanted) && !has_control(f.wanted);
    if (fine != f.sound()) {
      print_error("%s\n", f.text.c_str());
    }
    assert_true(fine == f.sound());
    if (fine) {
      assert_text(std::get<Command>(f.parsed).owner.host, f.wanted);
    }
  }
}

void check_sound(const Command& r) {
  for (const std::string* name : {&r.pool, &r.owner.host, &r.owner.id}) {
    assert_in_range(name->size(), name == &r.owner.id ? 0 : 1, 255);
    assert_true(is_utf8(*name) && !has_control(*name));
  }
  if (r.token) {
    assert_in_range(*r.token, 1, max_token);
  }
  if (r.expire) {
    assert_in_range(r.expire->count(), 1, 2147483647);
  }
  if (r.timeout) {
    assert_true(*r.timeout >= 0s && *r.timeout <= 2147483647s);
  }
}

void check_printable(std::string_view error) {
  assert_in_range(error.size(), 1, 256);
  assert_true(
      std::all_of(error.begin(), error.end(), [](char c) { return c >= 0x20 && c <= 0x7e; }));
}

void any_bytes_are_a_request_or_a_printable_refusal(void** state) {
  auto& f = fixture_of<Fixture>(state);
  constexpr std::string_view pieces[] = {
      "host=", "pool=", "id=",      "token=", "expire=", "timeout=", "h%6fst=", "host=h&pool=p&",
      "&",     "=",     "%",        "+",      "%2",      "%41",      "1",       "9",
      ".",     "a",     "\xc3\xbc", "?",      "#",       "/"};
  size_t sound = 0;
  for (int round = 0; round < 40000; ++round) {
    f.text.clear();
    for (size_t n = f.below(12); n > 0; --n) {
      if (f.below(8) == 0) {
        f.text.append(f.below(3) == 0 ? 100 : 1, static_cast<char>(f.below(256)));
      } else {
        f.text += pieces[f.below(std::size(pieces))];
      }
    }
    const size_t cut = f.below(f.text.size() + 1);
    f.parse(static_cast<Verb>(f.below(4)), std::string_view(f.text).substr(0, cut),
            std::string_view(f.text).substr(cut));
    if (f.sound()) {
      check_sound(std::get<Command>(f.parsed));
    } else {
      check_printable(std::get<Complaint>(f.parsed));
    }
    sound += f.sound();
    const std::string_view bytes(f.query.data(), f.query.size());
    const Target target = split_target(bytes);
    assert_true(target.path.size() + target.query.size() <= bytes.size());
    assert_true(!target.path.starts_with('/') && !target.path.ends_with('/'));
    (void)accepts_json(bytes);
    PageQuery page{bytes};
    if (const auto host = page.text("host")) {
      assert_true(is_utf8(*host) && !has_control(*host));
    }
    if (!page.complaint().empty()) {
      check_printable(page.complaint());
    }
  }
  assert_in_range(sound, 1000, 39000);  // there were sound ones and others
}

void decimals_are_kept_to_the_nanosecond(void** state) {
  auto& f = fixture_of<Fixture>(state);
  for (int round = 0; round < 20000; ++round) {
    const auto seconds = std::chrono::seconds(f.random() >> (1 + f.below(31)));
    const auto fraction = std::chrono::nanoseconds(f.below(1000000000));
    if (seconds == 2147483647s) {
      continue;
    }
    char text[64];
    std::snprintf(text, sizeof text, "host=h&pool=p&timeout=%lld.%09lld",
                  static_cast<long long>(seconds.count()),
                  static_cast<long long>(fraction.count()));
    f.parse(Verb::wait, text);
    assert_true(f.sound());
    assert_true(std::get<Command>(f.parsed).timeout == seconds + fraction);
  }
}

}  // namespace

int main() {
  const CMUnitTest tests[] = {
      test_with(Fixture, name_is_strict_utf8_without_controls),
      test_with(Fixture, any_bytes_are_a_request_or_a_printable_refusal),
      test_with(Fixture, decimals_are_kept_to_the_nanosecond),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
