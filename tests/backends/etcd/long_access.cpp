// SPDX-License-Identifier: MIT
// Real daemons over a real etcd that lets nobody in without a certificate or a
// login, or whose database is full. 'make check-etcd' runs it.
#include <string.h>

#include "backends/etcd/base64.h"
#include "support/etcdworld.h"

namespace distributex::test {
namespace {

using Fixture = EtcdWorldFixture;

Fixture& of(void** state) { return fixture_of<Fixture>(state); }

// --- TLS ---

std::string with_certificate(const EtcdCluster& etcd) {
  return "etcdcafile: " + etcd.file("ca.pem") + "\netcdcertfile: " + etcd.file("client.pem") +
         "\netcdkeyfile: " + etcd.file("client.key") + "\n";
}

void start_with_tls(Fixture& f) {
  f.etcd = std::make_unique<EtcdCluster>(1);
  if (!f.etcd->add_tls()) {
    print_message("openssl(1) makes no certificates here\n");
    skip();
  }
  assert_true(f.etcd->start());
}

void a_client_certificate_lets_in(void** state) {
  Fixture& f = of(state);
  start_with_tls(f);
  f.add_daemon(f.etcd->tls_url(0), with_certificate(*f.etcd));
  f.add_daemon(f.etcd->tls_url(0), with_certificate(*f.etcd));
  Crowd& crowd = f.contend("mutex", 1, true, 10, 5);
  crowd.finish();
  assert_sound(crowd, "mutex", 50);
}

void refuse_all(Fixture& f, const std::string& more, std::string_view reason) {
  Daemon daemon("backend: etcd\netcdhosts: \"" + f.etcd->tls_url(0) + "\"\n" + more +
                "pools:\n  - {name: long}\n");
  assert_true(daemon.start());
  std::string said;
  assert_that(eventually([&] {
                const Response answer = fetch(daemon.port(), "/readyz");
                said = answer.body;
                return answer.status == 503 && said.find(reason) != std::string::npos;
              }),
              "%s", said.c_str());
  assert_int_equal(fetch(daemon.port(), "/get/?pool=long&host=a").status, 503);
  assert_true(daemon.stop());
}

void without_a_certificate_nobody_gets_a_lock(void** state) {
  Fixture& f = of(state);
  start_with_tls(f);
  refuse_all(f, "etcdcafile: " + f.etcd->file("ca.pem") + "\n", "certificate");
}

void an_etcd_that_strangers_have_signed_is_not_trusted(void** state) {
  Fixture& f = of(state);
  start_with_tls(f);
  refuse_all(f, "", "certificate");
}

// --- a user ---

std::string name_json(const std::string& name, const std::string& role) {
  return R"({"user":")" + name + R"(","role":")" + role + R"("})";
}

void turn_auth_on(const EtcdCluster& etcd, const std::string& from, const std::string& to) {
  const auto ask = [&](const char* path, const std::string& body) {
    const std::string answer = etcd.post(0, path, body);
    assert_that(answer.find("revision") != std::string::npos, "%s: %s", path, answer.c_str());
  };
  ask("/v3/auth/user/add", R"({"name":"root","password":"toor"})");
  ask("/v3/auth/user/add", R"({"name":"locks","password":"secret"})");
  ask("/v3/auth/role/add", R"({"name":"root"})");
  ask("/v3/auth/role/add", R"({"name":"locks"})");
  ask("/v3/auth/user/grant", name_json("root", "root"));
  ask("/v3/auth/user/grant", name_json("locks", "locks"));
  ask("/v3/auth/role/grant", R"({"name":"locks","perm":{"permType":"READWRITE","key":")" +
                                 base64(from) + R"(","range_end":")" + base64(to) + R"("}})");
  ask("/v3/auth/enable", "{}");
}

std::string with_user(Fixture& f, const std::string& password) {
  write_file(f.etcd->file("password"), password + "\n");
  return "etcduser: locks\netcdpasswordfile: " + f.etcd->file("password") + "\n";
}

// Logs in with tokens that last three seconds; a restart of the member forgets them.
void a_user_goes_on_when_its_token_is_gone(void** state) {
  Fixture& f = of(state);
  f.start(1, 0, {"--auth-token-ttl", "3"});
  turn_auth_on(*f.etcd, "distributex/", "distributex0");
  f.add_daemon(f.etcd->hosts(), with_user(f, "secret"));
  f.add_daemon(f.etcd->hosts(), with_user(f, "secret"));
  Crowd& crowd = f.contend("mutex", 1, false, 6);
  assert_true(crowd.goes_on(20));
  f.etcd->kill_now(0);
  f.etcd->restart(0);
  assert_true(crowd.goes_on(20));
  crowd.stop();
  assert_sound(crowd, "mutex", 40);
  // For longer than a token lasts only the daemons' own probe asks etcd.
  const auto quiet_until = Clock::now() + std::chrono::seconds(5);
  assert_true(eventually([&] { return Clock::now() > quiet_until; }));
  assert_text(word(f.port(0), "/get/?pool=long&host=a"), "YES");
  assert_text(word(f.port(1), "/get/?pool=long&host=b"), "NO");
  assert_text(word(f.port(1), "/release/?pool=long&host=a"), "OK");
}

void refuse_user(Fixture& f, const std::string& more, std::string_view reason) {
  Daemon daemon("backend: etcd\netcdhosts: \"" + f.etcd->hosts() + "\"\n" + more +
                "pools:\n  - {name: long}\n");
  assert_true(daemon.start());
  std::string said;
  assert_that(eventually([&] {
                const Response answer = fetch(daemon.port(), "/readyz");
                said = answer.body;
                return answer.status == 503 && said.find(reason) != std::string::npos;
              }),
              "%s", said.c_str());
  assert_true(daemon.stop());
}

void a_login_that_is_refused_is_said(void** state) {
  Fixture& f = of(state);
  f.start(1, 0);
  turn_auth_on(*f.etcd, "other/", "other0");
  refuse_user(f, with_user(f, "wrong"), "user or password refused");
  refuse_user(f, "", "set etcduser and etcdpasswordfile");
  refuse_user(f, with_user(f, "secret"),
              "permission denied: etcduser locks needs a role that may read and write all keys "
              "that begin with distributex/");
}

// --- a full database ---

std::string number_in(const std::string& body, const std::string& name) {
  const size_t at = body.find("\"" + name + "\":\"");
  return at == std::string::npos
             ? ""
             : std::to_string(strtoull(body.c_str() + at + name.size() + 4, nullptr, 10));
}

void a_full_database_is_said_and_can_be_mended(void** state) {
  Fixture& f = of(state);
  f.start(1, 2, {"--quota-backend-bytes", "16777216"});
  assert_text(word(f.port(0), "/get/?pool=long&host=a"), "YES");
  const std::string junk = base64(std::string(1 << 20, 'x'));
  const std::string key = base64("junk");
  std::string answer;
  for (int i = 0; i < 40 && answer.find("space exceeded") == std::string::npos; i++) {
    answer = f.etcd->post(0, "/v3/kv/put", R"({"key":")" + key + R"(","value":")" + junk + R"("})");
  }
  assert_non_null(strstr(answer.c_str(), "space exceeded"));
  assert_int_equal(fetch(f.port(0), "/get/?pool=sem&host=a").status, 503);
  assert_true(f.is_unready(0, "database space exceeded"));
  // A lock can still be given back.
  assert_text(word(f.port(1), "/release/?pool=long&host=a"), "OK");

  const std::string revision = std::to_string(f.etcd->revision());
  (void)f.etcd->post(0, "/v3/kv/deleterange", R"({"key":")" + key + R"("})");
  (void)f.etcd->post(0, "/v3/kv/compaction",
                     R"({"revision":")" + revision + R"(","physical":true})");
  (void)f.etcd->post(0, "/v3/maintenance/defragment", "{}");
  const std::string member =
      number_in(f.etcd->post(0, "/v3/maintenance/status", "{}"), "member_id");
  (void)f.etcd->post(0, "/v3/maintenance/alarm",
                     R"({"action":"DEACTIVATE","memberID":")" + member + R"(","alarm":"NOSPACE"})");
  assert_true(f.is_ready(0) && f.is_ready(1));
  assert_text(word(f.port(0), "/get/?pool=long&host=b"), "YES");
  assert_text(word(f.port(1), "/get/?pool=long&host=a"), "NO");
}

}  // namespace
}  // namespace distributex::test

int main() {
  using namespace distributex::test;
  if (!EtcdCluster::is_installed()) {
    return 1;
  }
  const CMUnitTest tests[] = {
      test_with(Fixture, a_client_certificate_lets_in),
      test_with(Fixture, without_a_certificate_nobody_gets_a_lock),
      test_with(Fixture, an_etcd_that_strangers_have_signed_is_not_trusted),
      test_with(Fixture, a_user_goes_on_when_its_token_is_gone),
      test_with(Fixture, a_login_that_is_refused_is_said),
      test_with(Fixture, a_full_database_is_said_and_can_be_mended),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
