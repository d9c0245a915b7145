// SPDX-License-Identifier: MIT
// The parameters of pages: what is absent, what is sound, and that the first
// unsound one is complained of; and which types an Accept header names.
#include "doors/query.h"
#include "support/test.h"

using namespace distributex;
using namespace distributex::test;
using namespace std::literals;

namespace {

// "value", "-" for an absent one, or the complaint.
std::string read_text(std::string_view query) {
  PageQuery asked{query};
  const auto value = asked.text("pool");
  return !asked.complaint().empty() ? asked.complaint() : value.value_or("-");
}

void a_text_is_absent_sound_or_complained_of(void**) {
  struct Row {
    std::string_view query, wanted;
  };
  constexpr Row rows[] = {
      {"pool=p", "p"},
      {"a&&pool=a%20b&pool=c", "a b"},
      {"host=h&pool=p", "p"},
      {"p%6Fol=p", "p"},
      {"", "-"},
      {"&", "-"},
      {"Pool=p&xpool=q", "-"},
      {"pool", "parameter \"pool\" is empty; it has 1 to 255 bytes"},
      {"pool=", "parameter \"pool\" is empty; it has 1 to 255 bytes"},
      {"pool=&pool=p", "parameter \"pool\" is empty; it has 1 to 255 bytes"},
      {"pool=%zz",
       "parameter \"pool\" has a % that two hex digits do not follow (a plain % is %25): "
       "\"%zz\""},
      {"pool=%00", "parameter \"pool\" has a control character, which no name may have: \"%00\""},
      {"pool=%ff", "parameter \"pool\" is not valid UTF-8: \"%ff\""},
  };
  for (const Row& row : rows) {
    assert_text(read_text(row.query), row.wanted);
  }
}

void a_number_is_whole_and_nothing_else(void**) {
  const auto read = [](std::string_view query) {
    PageQuery asked{query};
    const auto number = asked.whole("limit");
    if (!asked.complaint().empty()) {
      return asked.complaint();
    }
    return number ? std::to_string(*number) : "-";
  };
  assert_text(read("limit=0"), "0");
  assert_text(read("limit=18446744073709551615"), "18446744073709551615");
  assert_text(read("most=1"), "-");
  assert_text(read("limit="), "parameter \"limit\" is empty; it has 1 to 255 bytes");
  for (const std::string_view bad : {"x"sv, "-1"sv, "1.5"sv, "18446744073709551616"sv, "1x"sv}) {
    assert_text(read("limit=" + std::string(bad)),
                "parameter \"limit\" is not a whole number: \"" + std::string(bad) + "\"");
  }
}

void the_first_complaint_stays(void**) {
  PageQuery asked{"b=%ff&a=&c=1"};
  assert_false(asked.text("a").has_value());
  assert_false(asked.text("b").has_value());
  assert_text(asked.text("c").value_or("-"), "1");
  asked.refuse("c", "is not wanted");
  assert_text(asked.complaint(), "parameter \"a\" is empty; it has 1 to 255 bytes");
}

void check_accept(std::string_view accept, bool json) {
  if (accepts_json(accept) != json) {
    print_error("Accept: %s\n", accept.data());
  }
  assert_true(accepts_json(accept) == json);
}

void json_is_for_those_who_name_it(void**) {
  for (const std::string_view accept :
       {"application/json"sv, "Application/JSON"sv, "text/html, application/json"sv,
        "application/json;q=0.1"sv, "application/json ; q=1.0"sv,
        "application/json;charset=utf-8"sv, "\tapplication/json\t"sv,
        "application/json;q=0, application/json"sv, "application/json;q=0.001"sv,
        "*/*;q=0,application/json"sv, "application/json;q=wrong"sv, "application/json;qq=0"sv,
        ",,application/json,"sv}) {
    check_accept(accept, true);
  }
  for (const std::string_view accept :
       {""sv, "*/*"sv, "application/*"sv, "text/plain"sv, "application/json5"sv,
        "application/jso"sv, "xapplication/json"sv, "application/json;q=0"sv,
        "application/json;q=0.000"sv, "application/json; Q = 0"sv,
        "application/json;charset=utf-8;q=0"sv, "application /json"sv, "application/json\0"sv,
        ";application/json"sv, "text/plain;x=application/json"sv, ","sv, ";"sv}) {
    check_accept(accept, false);
  }
}

}  // namespace

int main() {
  const CMUnitTest tests[] = {
      cmocka_unit_test(a_text_is_absent_sound_or_complained_of),
      cmocka_unit_test(a_number_is_whole_and_nothing_else),
      cmocka_unit_test(the_first_complaint_stays),
      cmocka_unit_test(json_is_for_those_who_name_it),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
