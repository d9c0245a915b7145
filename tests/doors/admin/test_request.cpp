// SPDX-License-Identifier: MIT
// The parameters of operators' verbs, and what a browser sends for another site.
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

void a_page_of_another_site_is_told_apart(void**) {
  struct Case {
    Provenance provenance;
    bool cross;
  };
  const Case cases[] = {
      {{"", "", "locks:9889"}, false},
      {{"same-origin", "", "locks:9889"}, false},
      {{"none", "http://evil", "locks:9889"}, false},
      {{"same-site", "", "locks:9889"}, true},
      {{"cross-site", "http://locks:9889", "locks:9889"}, true},
      {{"", "http://locks:9889", "locks:9889"}, false},
      {{"", "https://LOCKS:9889", "locks:9889"}, false},
      {{"", "http://locks", "locks:9889"}, true},
      {{"", "http://evil:9889", "locks:9889"}, true},
      {{"", "null", "locks:9889"}, true},
      {{"", "null", "null"}, true},
      {{"", "http://", ""}, true},
  };
  for (const Case& each : cases) {
    assert_that(is_cross_site(each.provenance) == each.cross, "%s",
                std::string(each.provenance.origin).c_str());
  }
}

}  // namespace
}  // namespace distributex::test

int main() {
  using namespace distributex::test;
  const CMUnitTest tests[] = {
      cmocka_unit_test(each_verb_takes_its_own_parameters),
      cmocka_unit_test(the_query_goes_before_the_form_and_the_first_counts),
      cmocka_unit_test(what_is_wanted_must_be_there),
      cmocka_unit_test(a_page_of_another_site_is_told_apart),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
