// SPDX-License-Identifier: MIT
// Which bodies of FleetLock name a node and a group, and what the others hear.
#include "doors/fleetlock/reply.h"
#include "doors/fleetlock/request.h"
#include "support/test.h"

namespace distributex {
namespace {

using namespace std::string_view_literals;

struct Fixture {
  std::string seen;
};

std::string outcome(std::string_view body) {
  auto read = read_fleet_node(body);
  if (auto* complaint = std::get_if<std::string>(&read)) {
    return *complaint;
  }
  const auto& node = std::get<FleetNode>(read);
  return node.id + "@" + node.group;
}

struct Row {
  std::string_view body;
  std::string_view outcome;
};

void check(void** state, std::span<const Row> rows) {
  auto& f = test::fixture_of<Fixture>(state);
  for (const Row& row : rows) {
    f.seen = outcome(row.body);
    assert_text(f.seen, row.outcome);
  }
}

void node_is_an_id_and_a_group(void** state) {
  constexpr Row rows[] = {
      {R"({"client_params":{"id":"c9","group":"workers"}})", "c9@workers"},
      {R"({"x":[1,{}],"client_params":{"group":"A.b-9","y":null,"id":"\u00e9 x"}})", "é x@A.b-9"},
      {" {\"client_params\":\n{\"id\":\"1\",\"group\":\"2\"}}\t", "1@2"},
  };
  check(state, rows);
}

void anything_else_is_refused_with_a_reason(void** state) {
  constexpr Row rows[] = {
      {"", "the body is no JSON that can be read, at byte 0"},
      {"[]", "the body is JSON, but no object"},
      {R"({"client_params":{"id":"c9","group")",
       "the body is no JSON that can be read, at byte 35"},
      {"{}", "the body has no object \"client_params\""},
      {R"({"client_params":[]})", "the body has no object \"client_params\""},
      {R"({"client_params":{"group":"a"}})",
       "client_params has no \"id\", a text that is not empty"},
      {R"({"client_params":{"id":"","group":"a"}})",
       "client_params has no \"id\", a text that is not empty"},
      {R"({"client_params":{"id":7,"group":"a"}})",
       "client_params has no \"id\", a text that is not empty"},
      {R"({"client_params":{"id":"a"}})",
       "client_params has no \"group\", a text that is not empty"},
      {R"({"client_params":{"id":"a","group":""}})",
       "client_params has no \"group\", a text that is not empty"},
      {R"({"client_params":{"id":"a","group":"a_b"}})",
       "the group is not 1 to 255 letters, digits, - and ."},
      {R"({"client_params":{"id":"a\nb","group":"a"}})",
       "the id has a control character, which no name may have"},
  };
  check(state, rows);
  std::string deep(5000, '[');
  assert_text(outcome(deep).substr(0, 34), "the body is no JSON that can be re");
}

void repeated_members_and_zero_bytes_are_refused(void** state) {
  auto& f = test::fixture_of<Fixture>(state);
  for (const std::string_view body : {R"({"client_params":{"id":"a","id":"b","group":"a"}})"sv,
                                      R"({"client_params":{"id":"a\u0000b","group":"a"}})"sv,
                                      "{\"client_params\":{\"id\":\"a\",\"group\":\"a\"}}\0"sv,
                                      "{\"client_params\":{\"id\":\"\xff\",\"group\":\"a\"}}"sv}) {
    f.seen = outcome(body).substr(0, 20);
    assert_text(f.seen, "the body is no JSON ");
  }
}

// A client takes any of 200 to 299 for a lock.
void only_a_lock_or_its_return_is_a_success(void**) {
  for (size_t i = 0; i < result_count; ++i) {
    Answer answer;
    answer.result = static_cast<Result>(i);
    answer.error = "why";
    const HttpReply reply = fleetlock_reply(answer);
    const bool may = answer.result == Result::granted || answer.result == Result::held ||
                     answer.result == Result::released || answer.result == Result::not_held ||
                     answer.result == Result::renewed;
    assert_int_equal(reply.status == 200, may);
    assert_int_equal(reply.body.empty(), may);
    assert_true(reply.status == 200 || reply.status >= 400);
  }
}

void no_says_who_holds_the_slots_and_where_the_node_stands(void** state) {
  auto& f = test::fixture_of<Fixture>(state);
  Answer answer;
  answer.result = Result::timeout;
  answer.pool = "workers";
  answer.standing = Standing{
      .waiting = 3,
      .position = 2,
      .holders = {{.owner = {"n1", ""}, .held = std::chrono::seconds{61}, .expires_in = {}},
                  {.owner = {"n2", "x"}, .held = std::chrono::seconds{5}, .expires_in = {}}},
      .estimate = std::chrono::seconds{90}};
  f.seen = fleetlock_reply(answer).body;
  assert_text(f.seen,
              R"({"kind":"lock_held","value":"no slot of the pool \"workers\" is free; held by )"
              R"(n1 for 61 s, n2/x for 5 s; place in line: 2, its turn comes in about 90 s"})");
}

}  // namespace
}  // namespace distributex

int main() {
  using namespace distributex;
  const CMUnitTest tests[] = {
      test_with(Fixture, node_is_an_id_and_a_group),
      test_with(Fixture, anything_else_is_refused_with_a_reason),
      test_with(Fixture, repeated_members_and_zero_bytes_are_refused),
      cmocka_unit_test(only_a_lock_or_its_return_is_a_success),
      test_with(Fixture, no_says_who_holds_the_slots_and_where_the_node_stands),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
