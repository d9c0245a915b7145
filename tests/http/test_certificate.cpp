// SPDX-License-Identifier: MIT
// Names that certificates prove, and contexts made from files: whole or not at
// all, with one sentence about the file that is wrong. No connection is made; what
// a client's certificate is worth is asked of OpenSSL with the context's own store.
#include <openssl/err.h>
#include <sys/stat.h>

#include <ctime>
#include <string>

#include "http/certificate.h"
#include "http/tls_context.h"
#include "support/authority.h"
#include "support/daemon.h"
#include "support/test.h"

using namespace distributex;
using namespace distributex::test;

namespace {

struct World {
  TempDir dir;
  PuppetAuthority puppet;

  std::string put(const char* name, const std::string& text) const {
    write_file(dir.file(name), text);
    return dir.file(name);
  }
  TlsFiles files() const {
    const Issued server = puppet.agent("lock.example.com");
    return {.certificates = {put("server.pem", server.pem + puppet.issuing.pem())},
            .keys = {put("server.key", server.key_pem)},
            .client_ca = put("ca.pem", puppet.ca_pem()),
            .crl = put("crl.pem", puppet.crl_pem())};
  }
};

std::string names_of(const CertificateSpec& spec) {
  const Authority ca("CA");
  const CertificateFacts facts = facts_of(ca.issue(spec).certificate.get());
  std::string text;
  for (const std::string& name : facts.names) {
    text += (text.empty() ? "" : " ") + name;
  }
  return facts.uri.empty() ? text : text + "<" + facts.uri + ">";
}

void proves_its_dns_names_and_the_common_name_only_without_any(void**) {
  assert_text(names_of({.common_name = "cn", .dns = {"web1.example.com", "web1"}}),
              "web1.example.com web1");
  assert_text(names_of({.common_name = "web1.example.com"}), "web1.example.com");
  assert_text(names_of({.common_name = "cn", .dns = {"*.example.com"}}), "");
  assert_text(names_of({.common_name = "*.example.com"}), "");
  assert_text(names_of({.common_name = "cn", .dns = {std::string("web1.example.com\0.evil", 22)}}),
              "");
  assert_text(names_of({.common_name = std::string("web1\0.evil", 10)}), "");
  assert_text(names_of({.common_name = "John Doe"}), "");
  assert_text(names_of({}), "");
  assert_text(names_of({.dns = {std::string(254, 'a'), "b"}}), "b");
}

void a_spiffe_id_is_known_and_proves_no_host(void**) {
  assert_text(names_of({.common_name = "web1", .uris = {"spiffe://example.com/ci"}}),
              "<spiffe://example.com/ci>");
  assert_text(names_of({.dns = {"web1"}, .uris = {"spiffe://example.com/ci"}}),
              "web1<spiffe://example.com/ci>");
  assert_text(names_of({.uris = {"spiffe://a/b", "spiffe://a/c"}}), "");
  assert_text(names_of({.common_name = "web1", .uris = {"https://example.com/"}}), "web1");
  assert_text(names_of({.uris = {"spiffe://a/b c"}}), "");
}

std::string made(const TlsFiles& files) {
  auto result = make_tls_context(files, std::time(nullptr));
  if (const auto* error = std::get_if<std::string>(&result)) {
    return *error;
  }
  std::string warnings;
  for (const std::string& warning : std::get<TlsContext>(result).warnings) {
    warnings += warning + "\n";
  }
  return warnings.empty() ? "good" : warnings;
}

void a_context_is_made_whole_or_not_at_all(void** state) {
  const World& world = fixture_of<World>(state);
  const TlsFiles good = world.files();
  chmod(good.keys[0].c_str(), 0640);
  assert_text(made(good), "good");
  const std::string other = world.put("other.key", world.puppet.agent("other").key_pem);
  const std::string text = world.put("text", "no PEM\n");
  struct Row {
    TlsFiles files;
    std::string begins;
  };
  TlsFiles f = good;
  const auto with = [&](auto change) {
    f = good;
    change(f);
    return f;
  };
  const Row rows[] = {
      {with([&](TlsFiles& t) { t.keys = {other}; }), other + ": has no key that fits "},
      {with([&](TlsFiles& t) { t.keys = {text}; }), text + ": has no key that fits "},
      {with([&](TlsFiles& t) { t.keys = {"/none"}; }), "/none: No such file or directory"},
      {with([&](TlsFiles& t) { t.keys = {"/"}; }), "/: "},
      {with([&](TlsFiles& t) { t.certificates = {text}; }), text + ": has no certificate that"},
      {with([&](TlsFiles& t) { t.client_ca = text; }), text + ": has no certificate of a CA"},
      {with([&](TlsFiles& t) { t.crl = text; }), text + ": has no CRL that can be read"},
      {with([&](TlsFiles& t) {
         t.crl = world.put("cut.pem", world.puppet.crl_pem().substr(0, 400));
       }),
       world.dir.file("cut.pem") + ": has no CRL that can be read"},
  };
  for (const Row& row : rows) {
    const std::string got = made(row.files);
    assert_that(got.starts_with(row.begins), "%s\nfor %s", got.c_str(), row.begins.c_str());
    assert_int_equal(ERR_peek_error(), 0);
  }
}

void what_is_weak_or_about_to_fail_is_warned_of(void** state) {
  World& world = fixture_of<World>(state);
  TlsFiles files = world.files();
  assert_int_equal(chmod(files.keys[0].c_str(), 0644), 0);
  assert_text(made(files),
              files.keys[0] + ": everybody on this machine can read the private key\n");
  assert_int_equal(chmod(files.keys[0].c_str(), 0640), 0);
  files.crl = world.put("crl.pem", world.puppet.issuing.crl());
  assert_text(
      made(files),
      files.crl + ": has no CRL of /CN=Puppet Root CA: certificates below it are refused\n");
  files.crl = world.put("crl.pem", world.puppet.crl_pem(-60));
  assert_true(made(files).starts_with(files.crl + ": the CRL ended on 20"));
  files.crl = world.put("crl.pem", world.puppet.crl_pem(600));
  assert_true(made(files).starts_with(files.crl + ": the CRL ends on 20"));
  files.crl = "";
  std::string many;
  for (int i = 0; i < 21; ++i) {
    many += Authority("CA " + std::to_string(i)).pem();
  }
  files.client_ca = world.put("many.pem", many);
  assert_true(made(files).starts_with(files.client_ca + ": has 21 CAs"));
}

void ends_are_those_of_what_ends_first(void** state) {
  World& world = fixture_of<World>(state);
  TlsFiles files = world.files();
  files.crl = world.put("crl.pem", world.puppet.issuing.crl(7200) + world.puppet.root.crl(90000));
  const std::time_t now = std::time(nullptr);
  auto result = make_tls_context(files, now);
  const auto& context = std::get<TlsContext>(result);
  assert_in_range(context.certificate_ends, now + 24L * 3600 - 60, now + 24L * 3600 + 60);
  assert_true(context.crl_ends.has_value());
  assert_in_range(*context.crl_ends, now + 7200 - 60, now + 7200 + 60);
}

// What the context's store says of a client's certificate.
std::string verdict(const TlsFiles& files, const Issued& client,
                    const X509* intermediate = nullptr) {
  auto result = make_tls_context(files, std::time(nullptr));
  if (const auto* error = std::get_if<std::string>(&result)) {
    return *error;
  }
  X509_STORE* store = SSL_CTX_get_cert_store(std::get<TlsContext>(result).context.get());
  X509_STORE_CTX* check = X509_STORE_CTX_new();
  STACK_OF(X509)* chain = sk_X509_new_null();
  if (intermediate) {
    sk_X509_push(chain, const_cast<X509*>(intermediate));
  }
  X509_STORE_CTX_init(check, store, client.certificate.get(), chain);
  X509_STORE_CTX_set_default(check, "ssl_client");
  const int good = X509_verify_cert(check);
  const CertificateTrouble trouble =
      trouble_of(X509_STORE_CTX_get_error(check), client.certificate.get());
  X509_STORE_CTX_free(check);
  sk_X509_free(chain);
  return good == 1 ? "good" : trouble.reason;
}

void each_trouble_has_a_word(void** state) {
  World& world = fixture_of<World>(state);
  const TlsFiles files = world.files();
  const PuppetAuthority& puppet = world.puppet;
  assert_text(verdict(files, puppet.agent("web1")), "good");
  assert_text(verdict(files, puppet.issuing.issue({.dns = {"a"}, .from = -7200, .until = -60})),
              "expired");
  assert_text(verdict(files, puppet.issuing.issue({.dns = {"a"}, .from = 3600})), "early");
  assert_text(verdict(files, puppet.issuing.issue({.dns = {"a"}, .usage = "serverAuth"})),
              "purpose");
  assert_text(verdict(files, Authority("Other CA").issue({.dns = {"a"}})), "unknown_ca");
  const Issued revoked = puppet.agent("web2");
  world.puppet.issuing.revoke(revoked);
  world.put("crl.pem", puppet.crl_pem());
  assert_text(verdict(files, revoked), "revoked");
  assert_text(verdict(files, puppet.agent("web1")), "good");
  world.put("crl.pem", puppet.crl_pem(-60));
  assert_text(verdict(files, puppet.agent("web1")), "crl");
  world.put("crl.pem", puppet.issuing.crl());
  assert_text(verdict(files, puppet.agent("web1")), "crl");
}

void an_intermediate_alone_can_be_trusted(void** state) {
  World& world = fixture_of<World>(state);
  TlsFiles files = world.files();
  files.client_ca = world.put("ca.pem", world.puppet.issuing.pem());
  files.crl = "";
  assert_text(verdict(files, world.puppet.agent("web1")), "good");
  assert_text(verdict(files, world.puppet.root.issue({.dns = {"a"}})), "unknown_ca");
  files.crl = world.put("crl.pem", world.puppet.issuing.crl());
  assert_text(verdict(files, world.puppet.agent("web1")), "good");
  const Issued revoked = world.puppet.agent("web2");
  world.puppet.issuing.revoke(revoked);
  files.crl = world.put("crl.pem", world.puppet.issuing.crl());
  assert_text(verdict(files, revoked), "revoked");
}

}  // namespace

int main() {
  const CMUnitTest tests[] = {
      cmocka_unit_test(proves_its_dns_names_and_the_common_name_only_without_any),
      cmocka_unit_test(a_spiffe_id_is_known_and_proves_no_host),
      test_with(World, a_context_is_made_whole_or_not_at_all),
      test_with(World, what_is_weak_or_about_to_fail_is_warned_of),
      test_with(World, ends_are_those_of_what_ends_first),
      test_with(World, each_trouble_has_a_word),
      test_with(World, an_intermediate_alone_can_be_trusted),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
