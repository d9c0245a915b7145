// SPDX-License-Identifier: MIT
// The parameters of operators' verbs.
#include "doors/admin/request.h"
#include "support/test.h"

namespace distributex::test {
namespace {

std::string shown(Verb verb, std::string_view query, std::string_view form = "") {
  const auto parsed = parse_order(verb, query, form);
  if (const auto* complaint = std::get_if<Complaint>(&parsed)) {
    return *complaint;
  }
  const auto& command = std::get<Command>(parsed);
  std::string text = command.pool;
  text += command.reason.empty() ? "" : " reason=" + command.reason;
  text += command.by.empty() ? "" : " by=" + command.by;
  text += command.token ? " token=" + std::to_string(*command.token) : "";
  if (command.lasts) {
    text += " for=" + std::to_string(
                          std::chrono::duration_cast<std::chrono::seconds>(*command.lasts).count());
  }
  return text;
}

void each_verb_takes_its_own_parameters(void**) {
  const std::string all = "pool=p&reason=why&by=ann&for=60&token=7";
  assert_text(shown(Verb::freeze, all), "p reason=why by=ann for=60");
  assert_text(shown(Verb::thaw, all), "p by=ann");
  assert_text(shown(Verb::evict, all), "p reason=why by=ann token=7");
}

void the_query_goes_before_the_form_and_the_first_counts(void**) {
  assert_text(shown(Verb::freeze, "pool=a&pool=b", "pool=c&reason=x+y%21&reason=z"),
              "a reason=x y!");
}

void what_is_wanted_must_be_there(void**) {
  assert_text(shown(Verb::freeze, "reason=x"), "parameter \"pool\" is missing");
  assert_text(shown(Verb::freeze, "pool=p"), "parameter \"reason\" is missing");
  assert_text(shown(Verb::evict, "pool=p&reason=x"), "parameter \"token\" is missing");
  assert_text(shown(Verb::thaw, "pool=*"), "*");
}

}  // namespace
}  // namespace distributex::test

int main() {
  using namespace distributex::test;
  const CMUnitTest tests[] = {
      cmocka_unit_test(each_verb_takes_its_own_parameters),
      cmocka_unit_test(the_query_goes_before_the_form_and_the_first_counts),
      cmocka_unit_test(what_is_wanted_must_be_there),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
