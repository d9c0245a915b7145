// SPDX-License-Identifier: MIT
// Where the path of a target ends and its query begins.
#include "http/target.h"
#include "support/test.h"

using namespace distributex;
using namespace distributex::test;

namespace {

struct TargetRow {
  std::string_view target, path, query;
};

void target_is_split_at_the_first_question_mark(void**) {
  constexpr TargetRow rows[] = {
      {"/get?host=a", "get", "host=a"},
      {"/get/?host=a?b", "get", "host=a?b"},
      {"//get//", "get", ""},
      {"/get/?", "get", ""},
      {"/get?a=/x/", "get", "a=/x/"},
      {"/", "", ""},
      {"///", "", ""},
      {"", "", ""},
      {"?", "", ""},
      {"?host=a", "", "host=a"},
      {"*", "*", ""},
      {"get", "get", ""},
      {"/g%65t/", "g%65t", ""},
      {"/a//b/", "a//b", ""},
      {"/get/%00x", "get/%00x", ""},
      {"/get/#top", "get", ""},
      {"/get#top?host=a", "get", ""},
      {"/get?host=a#top", "get", "host=a"},
      {"#", "", ""},
      {"http://lock.example:9889/get/?host=a", "get", "host=a"},
      {"HTTPS://[::1]:9889//get//?host=a#x", "get", "host=a"},
      {"http://lock.example", "", ""},
      {"http://lock.example?host=a", "", "host=a"},
      {"http://lock.example#get", "", ""},
      {"http://", "", ""},
      {"http:/get", "http:/get", ""},
      {"ftp://lock.example/get", "ftp://lock.example/get", ""},
      {"//lock.example/get", "lock.example/get", ""},
      {"/http://lock.example/get", "http://lock.example/get", ""},
  };
  for (const TargetRow& row : rows) {
    const Target target = split_target(row.target);
    assert_text(target.path, row.path);
    assert_text(target.query, row.query);
  }
}

}  // namespace

int main() {
  const CMUnitTest tests[] = {
      cmocka_unit_test(target_is_split_at_the_first_question_mark),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
