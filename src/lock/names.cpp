// SPDX-License-Identifier: MIT
// Two tables in the order of their enums. If a row is missing, this file does not compile.
#include "lock/names.h"

#include <array>
#include <cstddef>

namespace distributex {

namespace {

struct VerbRow {
  Verb verb;
  std::string_view name;
};

constexpr std::array<VerbRow, verb_count> verbs = {{
    // verbs begin
    {Verb::get, "get"},
    {Verb::wait, "wait"},
    {Verb::release, "release"},
    {Verb::renew, "renew"},
    {Verb::freeze, "freeze"},
    {Verb::thaw, "thaw"},
    {Verb::evict, "evict"},
    // verbs end
}};

struct ResultRow {
  Result result;
  std::string_view name;
  std::string_view word;
};

constexpr std::array<ResultRow, result_count> results = {{
    {Result::granted, "granted", "YES"},
    {Result::held, "held", "YES"},
    {Result::busy, "busy", "NO"},
    {Result::timeout, "timeout", "NO"},
    {Result::released, "released", "OK"},
    {Result::not_held, "not-held", "OK"},
    {Result::renewed, "renewed", "OK"},
    {Result::lost, "lost", "NO"},
    {Result::invalid, "invalid", "INVALID"},
    {Result::unavailable, "unavailable", "NO"},
    {Result::frozen, "frozen", "OK"},
    {Result::thawed, "thawed", "OK"},
    {Result::not_frozen, "not-frozen", "NO"},
    {Result::evicted, "evicted", "OK"},
    {Result::no_lease, "no-lease", "NO"},
}};

constexpr bool rows_stand_in_order() {
  for (size_t i = 0; i < verbs.size(); ++i) {
    if (static_cast<size_t>(verbs[i].verb) != i || verbs[i].name.empty()) {
      return false;
    }
  }
  for (size_t i = 0; i < results.size(); ++i) {
    if (static_cast<size_t>(results[i].result) != i || results[i].name.empty()) {
      return false;
    }
  }
  return true;
}
static_assert(rows_stand_in_order());

}  // namespace

std::string_view verb_name(Verb verb) { return verbs[static_cast<size_t>(verb)].name; }

std::optional<Verb> find_verb(std::string_view name) {
  for (const VerbRow& row : verbs) {
    if (row.name == name) {
      return row.verb;
    }
  }
  return std::nullopt;
}

std::string_view result_name(Result result) { return results[static_cast<size_t>(result)].name; }

std::optional<Result> find_result(std::string_view name) {
  for (const ResultRow& row : results) {
    if (row.name == name) {
      return row.result;
    }
  }
  return std::nullopt;
}

std::string_view result_word(Result result) { return results[static_cast<size_t>(result)].word; }

}  // namespace distributex
