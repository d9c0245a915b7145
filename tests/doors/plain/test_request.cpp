// SPDX-License-Identifier: MIT
// The rules of targets, queries and forms as tables of cases, each rendered as
// text. What must hold for any bytes is in test_request_bytes.cpp.
#include <cstdio>

#include "doors/plain/request.h"
#include "lock/names.h"
#include "support/parameters.h"
#include "support/test.h"

using namespace distributex;
using namespace distributex::test;
using namespace std::literals;

namespace {

struct Fixture {
  std::string text;
  std::string wanted;
  std::variant<Command, Complaint> parsed;

  void parse(Verb verb, std::string_view query, std::string_view form = {}) {
    parsed = parse_parameters(verb, query, form);
  }

  // "wait pool=p host=h id=i token=1 expire=5 timeout=2.500000000", or the error.
  void render() {
    if (const auto* complaint = std::get_if<Complaint>(&parsed)) {
      text = *complaint;
      return;
    }
    const Command& r = std::get<Command>(parsed);
    text.assign(verb_name(r.verb))
        .append(" pool=")
        .append(r.pool)
        .append(" host=")
        .append(r.owner.host);
    if (!r.owner.id.empty()) {
      text.append(" id=").append(r.owner.id);
    }
    if (r.token) {
      text.append(" token=").append(std::to_string(*r.token));
    }
    if (r.expire) {
      text.append(" expire=").append(std::to_string(r.expire->count()));
    }
    if (!r.timeout) {
      return;
    }
    char seconds[40];
    const auto ns = std::chrono::nanoseconds(*r.timeout).count();
    std::snprintf(seconds, sizeof seconds, " timeout=%lld.%09lld",
                  static_cast<long long>(ns / 1000000000), static_cast<long long>(ns % 1000000000));
    text += seconds;
  }

  [[nodiscard]] bool sound() const { return std::holds_alternative<Command>(parsed); }
};

void verb_is_found_by_its_exact_name(void**) {
  for (const Verb verb : {Verb::get, Verb::wait, Verb::release, Verb::renew}) {
    const auto found = find_verb(verb_name(verb));
    assert_true(found.has_value());
    assert_true(*found == verb);
  }
  assert_text(verb_name(Verb::release), "release");
  for (const std::string_view path : {""sv, "Get"sv, "ge"sv, "get "sv, "gets"sv, "get/"sv, "/get"sv,
                                      "g%65t"sv, "get\0"sv, "get/%00"sv, "status"sv, "*"sv}) {
    assert_false(find_verb(path).has_value());
  }
}

struct Row {
  Verb verb;
  std::string_view query, form, rendered;
};

void check_rows(void** state, const Row* row, size_t count) {
  auto& f = fixture_of<Fixture>(state);
  for (const Row* end = row + count; row != end; ++row) {
    f.parse(row->verb, row->query, row->form);
    f.render();
    assert_text(f.text, row->rendered);
  }
}

void each_verb_reads_what_it_takes(void** state) {
  constexpr std::string_view all = "host=h&pool=p&id=i&token=7&expire=60&timeout=2.5";
  constexpr Row rows[] = {
      {Verb::get, all, "", "get pool=p host=h id=i expire=60"},
      {Verb::wait, all, "", "wait pool=p host=h id=i expire=60 timeout=2.500000000"},
      {Verb::release, all, "", "release pool=p host=h id=i token=7"},
      {Verb::renew, all, "", "renew pool=p host=h id=i token=7 expire=60"},
      {Verb::get, "pool=p&host=h", "", "get pool=p host=h"},
      {Verb::get, "pool=p&host=h&token=no&timeout=%zz", "", "get pool=p host=h"},
      {Verb::release, "pool=p&host=h&expire=&timeout=-1", "", "release pool=p host=h"},
  };
  check_rows(state, rows, std::size(rows));
}

void pieces_are_parted_and_decoded_once(void** state) {
  constexpr Row rows[] = {
      {Verb::get, "&&host=h&&&pool=p&", "", "get pool=p host=h"},
      {Verb::get, "host=a+b&pool=a%20b", "", "get pool=a b host=a b"},
      {Verb::get, "host=%2541&pool=%2B", "", "get pool=+ host=%41"},
      {Verb::get, "host=a=b&pool==", "", "get pool== host=a=b"},
      {Verb::get, "host=a;b&pool=p?q/r", "", "get pool=p?q/r host=a;b"},
      {Verb::get, "host=a%26pool%3db&pool=p", "", "get pool=p host=a&pool=b"},
      {Verb::get, "h%6Fst=h&%70%6f%6F%6c=p", "", "get pool=p host=h"},
      {Verb::get, "host=%e2%82%AC&pool=\xc3\xbc", "", "get pool=\xc3\xbc host=\xe2\x82\xac"},
      {Verb::get, "host=%25&pool=%22%5c", "", "get pool=\"\\ host=%"},
      {Verb::get, "=x&%zz=1&ho%2=1&host=h&pool=p", "", "get pool=p host=h"},
      {Verb::get, "Host=x&HOST=y&host =z&+host=z&host=h&pool=p", "", "get pool=p host=h"},
      {Verb::get, "what=%zz&ever=%&none&host=h&pool=p", "", "get pool=p host=h"},
  };
  check_rows(state, rows, std::size(rows));
}

void first_of_equal_names_counts(void** state) {
  constexpr Row rows[] = {
      {Verb::get, "host=a&host=b&pool=p&pool=%zz", "", "get pool=p host=a"},
      {Verb::get, "host=a", "host=b&pool=p", "get pool=p host=a"},
      {Verb::get, "", "host=a&pool=p&id=i", "get pool=p host=a id=i"},
      {Verb::get, "h%6fst=a&host=b&pool=p", "", "get pool=p host=a"},
      {Verb::get, "host=&host=b&pool=p", "", "parameter \"host\" is empty; it has 1 to 255 bytes"},
      {Verb::get, "host=a&host&pool=p", "", "get pool=p host=a"},
  };
  check_rows(state, rows, std::size(rows));
}

void unsound_name_is_refused_with_its_reason(void** state) {
  constexpr Row rows[] = {
      {Verb::get, "", "", "parameter \"host\" is missing"},
      {Verb::get, "host=h", "", "parameter \"pool\" is missing"},
      {Verb::get, "host&pool=p", "", "parameter \"host\" is empty; it has 1 to 255 bytes"},
      {Verb::get, "host=h&pool=p&id=", "", "parameter \"id\" is empty; it has 1 to 255 bytes"},
      {Verb::get, "host=h&pool=p&id", "", "parameter \"id\" is empty; it has 1 to 255 bytes"},
      {Verb::get, "host=a%0d%0ab&pool=p", "",
       "parameter \"host\" has a control character, which no name may have: \"a%0d%0ab\""},
      {Verb::get, "host=a%00&pool=p", "",
       "parameter \"host\" has a control character, which no name may have: \"a%00\""},
      {Verb::get, "host=a\0b&pool=p"sv, "",
       "parameter \"host\" has a control character, which no name may have: \"a%00b\""},
      {Verb::get, "host=\x7f&pool=p", "",
       "parameter \"host\" has a control character, which no name may have: \"%7F\""},
      {Verb::get, "host=%c2%85&pool=p", "",
       "parameter \"host\" has a control character, which no name may have: \"%c2%85\""},
      {Verb::get, "host=%c0%80&pool=p", "", "parameter \"host\" is not valid UTF-8: \"%c0%80\""},
      {Verb::get, "host=\xff&pool=p", "", "parameter \"host\" is not valid UTF-8: \"%FF\""},
      {Verb::get, "host=h&pool=a%", "",
       "parameter \"pool\" has a % that two hex digits do not follow (a plain % is %25): \"a%\""},
      {Verb::get, "host=h&pool=%4", "",
       "parameter \"pool\" has a % that two hex digits do not follow (a plain % is %25): \"%4\""},
      {Verb::get, "host=h&pool=%zz", "",
       "parameter \"pool\" has a % that two hex digits do not follow (a plain % is %25): \"%zz\""},
      {Verb::get, "host=h&pool=% 4\"\\", "",
       "parameter \"pool\" has a % that two hex digits do not follow (a plain % is %25): "
       "\"%%204%22%5C\""},
  };
  check_rows(state, rows, std::size(rows));
}

void numbers_are_read_in_their_ranges(void** state) {
  constexpr Row rows[] = {
      {Verb::renew, "host=h&pool=p&token=1&expire=1", "", "renew pool=p host=h token=1 expire=1"},
      {Verb::renew, "host=h&pool=p&token=9007199254740991&expire=2147483647", "",
       "renew pool=p host=h token=9007199254740991 expire=2147483647"},
      {Verb::renew, "host=h&pool=p&token=0000000000000000000000007&expire=%30%35", "",
       "renew pool=p host=h token=7 expire=5"},
      {Verb::wait, "host=h&pool=p&timeout=0", "", "wait pool=p host=h timeout=0.000000000"},
      {Verb::wait, "host=h&pool=p&timeout=.5", "", "wait pool=p host=h timeout=0.500000000"},
      {Verb::wait, "host=h&pool=p&timeout=3.", "", "wait pool=p host=h timeout=3.000000000"},
      {Verb::wait, "host=h&pool=p&timeout=0.1", "", "wait pool=p host=h timeout=0.100000000"},
      {Verb::wait, "host=h&pool=p&timeout=1.0000019999", "",
       "wait pool=p host=h timeout=1.000001999"},
      {Verb::wait, "host=h&pool=p&timeout=2147483647.000", "",
       "wait pool=p host=h timeout=2147483647.000000000"},
      {Verb::wait, "host=h&pool=p&timeout=2147483646.999999999", "",
       "wait pool=p host=h timeout=2147483646.999999999"},
  };
  check_rows(state, rows, std::size(rows));
}

void anything_else_is_no_number(void** state) {
  auto& f = fixture_of<Fixture>(state);
  const auto is_refused = [&f](Verb verb, std::string_view name, std::string_view value,
                               std::string_view reason) {
    f.text = "host=h&pool=p&";
    f.text.append(name).append("=").append(value);
    f.parse(verb, f.text);
    f.wanted.assign("parameter \"").append(name).append("\" is not ").append(reason);
    // A token is not shown: somebody may have taken a secret for one.
    if (name != "token") {
      f.wanted.append(": \"").append(value).append("\"");
    }
    f.render();
    assert_text(f.text, f.wanted);
  };
  const auto is_no_whole_number = [&](std::string_view value) {
    is_refused(Verb::release, "token", value, "a whole number from 1 to 9007199254740991");
    is_refused(Verb::renew, "expire", value, "a whole number of seconds from 1 to 2147483647");
  };
  for (const std::string_view value :
       {""sv, "-1"sv, "%2B1"sv, "+1"sv, "1+"sv, "0x10"sv, "1e3"sv, "abc"sv, "1,5"sv, "..1"sv, "."sv,
        "1.2.3"sv, "1%00"sv, "%zz"sv, "inf"sv, "99999999999999999999"sv, "1.-5"sv, "-0"sv,
        "1.5s"sv}) {
    is_no_whole_number(value);
    is_refused(Verb::wait, "timeout", value,
               "a number of seconds from 0 to 2147483647, like 30 or 2.5");
  }
  for (const std::string_view value :
       {"0"sv, "1.5"sv, "1."sv, "9007199254740992"sv, "18446744073709551617"sv}) {
    is_no_whole_number(value);
  }
  is_refused(Verb::get, "expire", "2147483648", "a whole number of seconds from 1 to 2147483647");
  for (const std::string_view value : {"2147483648"sv, "2147483647.000000000000001"sv}) {
    is_refused(Verb::wait, "timeout", value,
               "a number of seconds from 0 to 2147483647, like 30 or 2.5");
  }
}

void name_has_at_most_255_bytes(void** state) {
  auto& f = fixture_of<Fixture>(state);
  for (size_t size = 250; size < 260; ++size) {
    f.text = "pool=p&host=" + std::string(size, 'x');
    f.parse(Verb::get, f.text);
    assert_int_equal(f.sound(), size <= 255);
  }
  f.render();
  f.wanted = "parameter \"host\" is longer than 255 bytes: \"" + std::string(64, 'x') + "...\"";
  assert_text(f.text, f.wanted);
  f.text = "pool=p&host=";
  for (int i = 0; i < 255; ++i) {
    f.text += "%78";
  }
  f.parse(Verb::get, f.text);
  assert_true(f.sound());
}

}  // namespace

int main() {
  const CMUnitTest tests[] = {
      cmocka_unit_test(verb_is_found_by_its_exact_name),
      test_with(Fixture, each_verb_reads_what_it_takes),
      test_with(Fixture, pieces_are_parted_and_decoded_once),
      test_with(Fixture, first_of_equal_names_counts),
      test_with(Fixture, unsound_name_is_refused_with_its_reason),
      test_with(Fixture, numbers_are_read_in_their_ranges),
      test_with(Fixture, anything_else_is_no_number),
      test_with(Fixture, name_has_at_most_255_bytes),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
