// SPDX-License-Identifier: MIT
// Patterns against a naive matcher that tries every length of every star, over
// all short texts of two letters; and addresses and networks as people write them.
#include <string>
#include <string_view>
#include <vector>

#include "base/network.h"
#include "base/pattern.h"
#include "support/test.h"

using namespace distributex;

namespace {

bool naive(std::string_view pattern, std::string_view text) {
  if (pattern.empty()) {
    return text.empty();
  }
  if (pattern.front() == '*') {
    for (size_t n = 0; n <= text.size(); ++n) {
      if (naive(pattern.substr(1), text.substr(n))) {
        return true;
      }
    }
    return false;
  }
  return !text.empty() && pattern.front() == text.front() &&
         naive(pattern.substr(1), text.substr(1));
}

std::vector<std::string> all_texts(std::string_view letters, size_t longest) {
  std::vector<std::string> texts{""};
  for (size_t from = 0, length = 0; length < longest; ++length) {
    const size_t end = texts.size();
    for (; from < end; ++from) {
      for (const char c : letters) {
        texts.push_back(texts[from] + c);
      }
    }
  }
  return texts;
}

void matches_what_trying_everything_matches(void**) {
  for (const std::string& pattern : all_texts("ab*", 5)) {
    for (const std::string& text : all_texts("ab", 5)) {
      assert_that(matches(pattern, text) == naive(pattern, text), "%s on %s", pattern.c_str(),
                  text.c_str());
    }
  }
}

void covers_only_what_matches_all_of_the_other(void**) {
  const auto patterns = all_texts("ab*", 3);
  const auto texts = all_texts("ab", 5);
  for (const std::string& a : patterns) {
    for (const std::string& b : patterns) {
      bool all = true;
      bool both = false;
      for (const std::string& text : texts) {
        const bool of_b = naive(b, text);
        all = all && (!of_b || naive(a, text));
        both = both || (of_b && naive(a, text));
      }
      assert_that(!covers(a, b) || all, "%s covers %s", a.c_str(), b.c_str());
      assert_that(patterns_meet(a, b) == both, "%s meets %s", a.c_str(), b.c_str());
    }
  }
  assert_true(covers("*", "a*"));
  assert_true(covers("deploy/*", "deploy/web*"));
  assert_false(covers("deploy/*", "*"));
}

void case_counts_unless_it_is_told_not_to(void**) {
  assert_false(matches("*.example.com", "Web1.EXAMPLE.com"));
  assert_true(matches("*.example.com", "Web1.EXAMPLE.com", Letters::any_case));
  assert_false(matches("\xc3\x84", "\xc3\xa4", Letters::any_case));
}

void many_stars_cost_no_more_than_both_lengths(void**) {
  std::string pattern;
  for (int i = 0; i < 2000; ++i) {
    pattern += "a*";
  }
  assert_false(matches(pattern + "b", std::string(4000, 'a')));
}

void addresses_and_networks_are_read_as_people_write_them(void**) {
  struct Row {
    const char* text;
    const char* shown;  // "": refused
  };
  constexpr Row rows[] = {
      {"10.1.2.3", "10.1.2.3"},
      {"::ffff:10.1.2.3", "10.1.2.3"},
      {"10.0.0.0/8", "10.0.0.0/8"},
      {"2001:db8::/32", "2001:db8::/32"},
      {"0.0.0.0/0", "0.0.0.0/0"},
      {"::/0", "::/0"},
      {"10.1.2.3/32", "10.1.2.3"},
      {"192.168.4.0/22", "192.168.4.0/22"},
      {"10.0.0.1/8", ""},
      {"192.168.5.0/22", ""},
      {"10.0.0.0/33", ""},
      {"::/129", ""},
      {"10.0.0.0/", ""},
      {"/8", ""},
      {"10.0.0", ""},
      {"web1", ""},
      {"fe80::1%eth0", ""},
      {"", ""},
  };
  for (const Row& row : rows) {
    const auto network = parse_network(row.text);
    assert_text(network ? to_text(*network) : "", row.shown);
  }
}

void a_network_contains_its_addresses_alone(void**) {
  const auto in = [](const char* network, const char* address) {
    return contains(*parse_network(network), *parse_address(address));
  };
  assert_true(in("10.0.0.0/8", "10.255.0.1"));
  assert_false(in("10.0.0.0/8", "11.0.0.1"));
  assert_true(in("192.168.4.0/22", "192.168.7.255"));
  assert_false(in("192.168.4.0/22", "192.168.8.0"));
  assert_true(in("0.0.0.0/0", "1.2.3.4"));
  assert_false(in("0.0.0.0/0", "2001:db8::1"));
  assert_true(in("::/0", "1.2.3.4"));
  assert_true(in("2001:db8::/33", "2001:db8:7fff::1"));
  assert_false(in("2001:db8::/33", "2001:db8:8000::1"));
  assert_true(is_loopback(*parse_address("127.3.2.1")));
  assert_true(is_loopback(*parse_address("::1")));
  assert_false(is_loopback(*parse_address("128.0.0.1")));
  assert_false(is_loopback(*parse_address("::2")));
}

}  // namespace

int main() {
  const CMUnitTest tests[] = {
      cmocka_unit_test(matches_what_trying_everything_matches),
      cmocka_unit_test(covers_only_what_matches_all_of_the_other),
      cmocka_unit_test(case_counts_unless_it_is_told_not_to),
      cmocka_unit_test(many_stars_cost_no_more_than_both_lengths),
      cmocka_unit_test(addresses_and_networks_are_read_as_people_write_them),
      cmocka_unit_test(a_network_contains_its_addresses_alone),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
