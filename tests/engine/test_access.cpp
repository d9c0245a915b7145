// SPDX-License-Identifier: MIT
// The access rules by themselves: the defaults, whom each `who` means, in whose
// name a proof lets one speak, what denials say, and 200,000 random questions
// beside a model that reads the rules in another way.
#include <random>
#include <string>
#include <vector>

#include "engine/access.h"
#include "support/access_model.h"
#include "support/test.h"

using namespace distributex;
using namespace distributex::test;

namespace {

Who who(const char* text) {
  auto read = parse_who(text);
  const auto* error = std::get_if<std::string>(&read);
  assert_that(!error, "%s", error ? error->c_str() : "");
  return std::get<Who>(read);
}

const ModelClient nobody{.address = {192, 0, 2, 1}};
const ModelClient web1{.address = {192, 0, 2, 1}, .certified = true, .names = {"web1.example.com"}};
const ModelClient ci{.address = {192, 0, 2, 1}, .secret = "ci", .secret_hosts = {"ci"}};
const ModelClient shared{.address = {192, 0, 2, 1}, .secret = "fleet", .secret_hosts = {"*"}};
const ModelClient spiffe{
    .address = {192, 0, 2, 1}, .certified = true, .uri = "spiffe://example.com/ci"};
const ModelClient local{.uid = 1000};

// "yes", or the denial: "401: ..." where a proof would help, else "403: ...".
std::string lock(const Access& access, const ModelClient& client, const char* pool,
                 const char* host) {
  const auto denied = access.refuses_lock(client.identity(), pool, host);
  return denied ? (denied->proven ? "403: " : "401: ") + denied->error : "yes";
}

void without_rules_everything_is_allowed(void**) {
  const Access access;
  assert_true(access.open());
  assert_text(lock(access, nobody, "p", "any"), "yes");
  assert_true(access.allows(nobody.identity(), May::administer, "*"));
}

void by_default_proofs_lock_unix_administers_and_others_may_nothing(void**) {
  const Access access(default_rules(true, true), true);
  assert_text(lock(access, web1, "p", "web1.example.com"), "yes");
  assert_text(lock(access, web1, "p", "WEB1.Example.COM"), "yes");
  assert_text(lock(access, ci, "p", "ci"), "yes");
  assert_text(lock(access, shared, "p", "web7"), "yes");
  assert_text(lock(access, local, "p", "web7"), "yes");
  assert_true(access.allows(local.identity(), May::administer, "*"));
  assert_false(access.allows(web1.identity(), May::administer, "p"));
  assert_false(access.allows(nobody.identity(), May::look, "p"));
  const Access certificates(default_rules(true, false), false);
  assert_text(lock(certificates, ci, "p", "ci"), "403: the secret ci may not lock pool \"p\"");
}

void a_denial_says_what_is_wrong_and_what_would_be_right(void**) {
  const Access both(default_rules(true, true), true);
  assert_text(lock(both, nobody, "p", "h"),
              "401: to lock pool \"p\" a proof is needed: a secret in the header Authorization, or "
              "a certificate, that the rules allow to");
  assert_text(lock(both, web1, "p", "web2"),
              "403: the certificate proves web1.example.com, not \"web2\"");
  assert_text(lock(both, ci, "p", "web2"), "403: the secret ci may speak for ci, not for \"web2\"");
  assert_text(lock(both, spiffe, "p", "web2"),
              "403: the certificate spiffe://example.com/ci proves no host: only a rule with hosts "
              "lets it speak for \"web2\"");
  const Access certificates(default_rules(true, false), false);
  assert_text(lock(certificates, nobody, "p", "h"),
              "403: to lock pool \"p\" a proof is needed: a certificate that the rules allow to");
  Identity expired = nobody.identity();
  expired.trouble = "your certificate expired on 2026-01-01";
  const auto denied = certificates.refuses_lock(expired, "p", "h");
  assert_text(denied ? denied->error : "",
              "your certificate expired on 2026-01-01; to lock pool \"p\" a proof is needed: a "
              "certificate that the rules allow to");
  const Access deploy({{.who = {who("secret ci")}, .pools = {"deploy*"}}}, true);
  assert_text(lock(deploy, ci, "backup", "ci"), "403: the secret ci may not lock pool \"backup\"");
  assert_text(lock(deploy, ci, "deploy-web", "ci"), "yes");
  const auto all = deploy.refuses(ci.identity(), May::look, "*");
  assert_text(all ? all->error : "", "the secret ci may not look at all pools");
}

void with_a_proof_one_speaks_only_for_what_it_covers(void**) {
  const Access access({{.who = {who("anyone")}}}, true);
  assert_text(lock(access, nobody, "p", "web2"), "yes");
  assert_text(lock(access, web1, "p", "web2"),
              "403: the certificate proves web1.example.com, not \"web2\"");
  assert_text(lock(access, web1, "p", "web1.example.com"), "yes");
  assert_text(lock(access, shared, "p", "web2"), "yes");
}

void hosts_in_a_rule_stand_in_the_place_of_what_a_proof_covers(void**) {
  const Access access({{.who = {who("certificate spiffe://example.com/*")}, .hosts = {"ci-*"}},
                       {.who = {who("certificate web1.example.com")}, .hosts = {"db*"}}},
                      false);
  assert_text(lock(access, spiffe, "p", "ci-7"), "yes");
  assert_true(lock(access, spiffe, "p", "web1.example.com") != "yes");
  assert_text(lock(access, web1, "p", "db2"), "yes");
  assert_true(lock(access, web1, "p", "web1.example.com") != "yes");
}

void from_bounds_a_rule_to_networks(void**) {
  const Access access({{.who = {who("certificate")}, .from = {*parse_network("10.0.0.0/8")}}},
                      false);
  ModelClient inside = web1;
  inside.address = {10, 1, 1, 1};
  assert_text(lock(access, inside, "p", "web1.example.com"), "yes");
  assert_true(lock(access, web1, "p", "web1.example.com") != "yes");
  ModelClient by_unix = web1;
  by_unix.address = {};
  assert_true(lock(access, by_unix, "p", "web1.example.com") != "yes");
}

void a_pattern_of_pools_is_allowed_where_a_rule_covers_all_of_it(void**) {
  const Access access({{.who = {who("uid 0")}, .may = May::administer, .pools = {"deploy/*"}}},
                      false);
  const ModelClient root{};
  assert_true(access.allows(root.identity(), May::administer, "deploy/web"));
  assert_true(access.allows(root.identity(), May::administer, "deploy/*"));
  assert_false(access.allows(root.identity(), May::administer, "*"));
  assert_false(access.allows(local.identity(), May::administer, "deploy/web"));
}

void each_who_is_read_and_written_alike(void**) {
  for (const char* text :
       {"anyone", "certificate", "certificate *.db.example.com", "secret", "secret ci", "unix",
        "uid 0", "10.1.2.3", "10.0.0.0/8", "2001:db8::/32"}) {
    assert_text(to_text(who(text)), text);
  }
  struct Row {
    const char* text;
    const char* error;
  };
  constexpr const char* known =
      " is none of anyone, certificate [PATTERN], secret [NAME], unix, uid N, an address or a "
      "network";
  const Row rows[] = {
      {"uid 65534", "uid 65534 stands for every user that the kernel cannot show here"},
      {"uid root", "uid \"root\" is not a whole number"},
      {"secret a b", "\"a b\" has a blank: write one name, or a list of who"},
      {"everybody", nullptr},
      {"anyone at all", nullptr},
      {"10.0.0.1/8", nullptr},
      {"", nullptr},
  };
  for (const Row& row : rows) {
    const auto read = parse_who(row.text);
    const auto* error = std::get_if<std::string>(&read);
    assert_text(error ? *error : "",
                row.error ? row.error : std::string("\"") + row.text + "\"" + known);
  }
}

void explains_who_may_what_to_a_pool(void**) {
  const Access access({{.who = {who("certificate *.db")},
                        .pools = {"backup", "migrate"},
                        .from = {*parse_network("10.0.0.0/8")}},
                       {.who = {who("10.1.2.3")}, .may = May::look},
                       {.who = {who("unix"), who("uid 0")}, .may = May::administer},
                       {.who = {who("secret ci")}, .hosts = {"ci-*"}}},
                      true);
  std::string lines;
  for (const std::string& line : access.explain("backup")) {
    lines += line + "\n";
  }
  assert_text(lines,
              "lock: certificate *.db, from 10.0.0.0/8, for what it proves\n"
              "look: 10.1.2.3\n"
              "administer: unix, for any host\n"
              "administer: uid 0, for any host\n"
              "lock: secret ci, for ci-*\n");
  assert_int_equal(access.explain("other").size(), 4);
  assert_text(Access({}, false).explain("p").front(), "nobody may do anything");
}

void answers_as_the_model_does(void**) {
  std::mt19937 random(20260101);
  size_t allowed = 0;
  constexpr size_t questions = 200'000;
  for (size_t i = 0; i < questions; ++i) {
    std::string bytes(96, '\0');
    for (char& byte : bytes) {
      byte = static_cast<char>(random());
    }
    ModelChoices choices(bytes);
    const auto rules = choices.rules();
    const ModelClient client = choices.client();
    const std::string pool = choices.pool();
    const std::string host = choices.host();
    const May may = static_cast<May>(choices.choose(3));
    const Access access(rules, true);
    const bool locks = !access.refuses_lock(client.identity(), pool, host);
    assert_that(locks == model_allows_lock(rules, client, pool, host), "question %zu: lock", i);
    assert_that(
        access.allows(client.identity(), may, pool) == model_allows(rules, client, may, pool),
        "question %zu: allows", i);
    assert_that(!locks || access.allows(client.identity(), May::look, pool), "question %zu: look",
                i);
    allowed += locks;
  }
  assert_in_range(allowed, questions / 20, questions / 2);
}

}  // namespace

int main() {
  const CMUnitTest tests[] = {
      cmocka_unit_test(without_rules_everything_is_allowed),
      cmocka_unit_test(by_default_proofs_lock_unix_administers_and_others_may_nothing),
      cmocka_unit_test(a_denial_says_what_is_wrong_and_what_would_be_right),
      cmocka_unit_test(with_a_proof_one_speaks_only_for_what_it_covers),
      cmocka_unit_test(hosts_in_a_rule_stand_in_the_place_of_what_a_proof_covers),
      cmocka_unit_test(from_bounds_a_rule_to_networks),
      cmocka_unit_test(a_pattern_of_pools_is_allowed_where_a_rule_covers_all_of_it),
      cmocka_unit_test(each_who_is_read_and_written_alike),
      cmocka_unit_test(explains_who_may_what_to_a_pool),
      cmocka_unit_test(answers_as_the_model_does),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
