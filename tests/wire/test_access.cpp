// SPDX-License-Identifier: MIT
// Who may do what, on the wire: certificates and secrets as proofs, what each
// answer and page says to whom, what a reload takes away, what browsers send for
// other sites, and that no secret is ever shown.
#include <signal.h>

#include <string>

#include "http/secrets.h"
#include "support/test.h"
#include "support/tls_world.h"

using namespace distributex;
using namespace distributex::test;

namespace {

struct Fixture : TlsWorld {
  MadeSecret ci = *make_secret("ci");
  MadeSecret fleet = *make_secret("fleet");
  MadeSecret stranger = *make_secret("stranger");

  bool begin() {
    put("secrets", ci.line + "\n" + fleet.line + ":*\n");
    return true;
  }
  bool finish() { return daemon->stop(); }

  std::string puppet_lines() const {
    return "tls_client_ca: " + file("ca.pem") + "\ntls_crl: " + file("crl.pem") + "\n";
  }
  std::string secret_lines() const { return "secrets: " + file("secrets") + "\n"; }
};

std::string bearer(const MadeSecret& made) {
  return "Authorization: Bearer " + made.secret + "\r\n";
}

// "200 YES", or "403 INVALID: the sentence".
std::string shown(const Response& response) {
  std::string text = std::to_string(response.status) + " " + response.body;
  const std::string error = response.header("Distributex-Error");
  return error.empty() ? text : text + ": " + error;
}

void a_certificate_locks_for_the_host_that_it_proves(void** state) {
  Fixture& world = fixture_of<Fixture>(state);
  assert_true(world.start(world.puppet_lines()));
  for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
    TlsClient web1(world.tls(), world.with(world.puppet.agent("web1.example.com"), version));
    assert_text(shown(web1.fetch("/get?host=web1.example.com&pool=p")), "200 YES");
    assert_text(shown(web1.fetch("/release?host=WEB1.example.com&pool=q")), "200 OK");
    assert_text(shown(web1.fetch("/get?host=web2.example.com&pool=p")),
                "403 INVALID: the certificate proves web1.example.com, not \"web2.example.com\"");
    assert_text(shown(web1.fetch("/release?host=web1.example.com&pool=p")), "200 OK");
  }
  TlsClient nobody(world.tls());
  assert_text(shown(nobody.fetch("/get?host=web1.example.com&pool=p")),
              "403 INVALID: to lock pool \"p\" a proof is needed: a certificate that the rules "
              "allow to");
  assert_int_equal(fetch(world.plain(), "/get?host=web1.example.com&pool=p").status, 403);
}

void a_certificate_that_proves_nothing_hears_why(void** state) {
  Fixture& world = fixture_of<Fixture>(state);
  assert_true(world.start(world.puppet_lines()));
  const Issued revoked = world.puppet.agent("web1");
  world.puppet.issuing.revoke(revoked);
  world.put_crl();
  assert_true(world.reload(world.puppet_lines()));
  const Authority other("Other CA");
  struct Row {
    Issued certificate;
    const char* begins;
  };
  const Row rows[] = {
      {world.puppet.issuing.issue({.dns = {"web1"}, .from = -7200, .until = -60}),
       "your certificate, or the CA's, expired"},
      {world.puppet.issuing.issue({.dns = {"web1"}, .from = 3600}),
       "your certificate is not valid before"},
      {world.puppet.agent("web1"), ""},
      {other.issue({.dns = {"web1"}}),
       "your certificate was issued by a CA that this server does not know"},
      {world.puppet.issuing.issue({.dns = {"web1"}, .usage = "serverAuth"}),
       "your certificate is not one for clients"},
  };
  for (const Row& row : rows) {
    TlsClient client(world.tls(), world.with(row.certificate));
    assert_that(client.connected(), "%s", client.error().c_str());
    const Response response = client.fetch("/get?host=web1&pool=p");
    if (*row.begins == '\0') {
      assert_text(response.body, "YES");
      assert_text(client.fetch("/release?host=web1&pool=p").body, "OK");
      continue;
    }
    assert_int_equal(response.status, 403);
    assert_that(response.header("Distributex-Error").starts_with(row.begins), "%s",
                response.header("Distributex-Error").c_str());
  }
  TlsClient client(world.tls(), world.with(revoked));
  assert_true(client.fetch("/get?host=web1&pool=p")
                  .header("Distributex-Error")
                  .starts_with("your certificate was revoked"));
}

void a_revoked_certificate_loses_its_session_at_the_reload(void** state) {
  Fixture& world = fixture_of<Fixture>(state);
  assert_true(world.start(world.puppet_lines()));
  for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
    const Issued agent = world.puppet.agent("web1");
    TlsOptions options = world.with(agent, version);
    TlsClient first(world.tls(), options);
    assert_text(first.fetch("/get?host=web1&pool=p").body, "YES");
    assert_text(first.fetch("/release?host=web1&pool=p").body, "OK");
    const SslSession session = first.session();
    options.session = session.get();
    TlsClient resumed(world.tls(), options);
    assert_true(resumed.resumed());
    assert_text(resumed.fetch("/get?host=web1&pool=p").body, "YES");
    assert_text(resumed.fetch("/release?host=web1&pool=p").body, "OK");
    world.puppet.issuing.revoke(agent);
    world.put_crl();
    assert_true(world.reload(world.puppet_lines()));
    TlsClient after(world.tls(), options);
    assert_false(after.resumed());
    assert_int_equal(after.fetch("/get?host=web1&pool=p").status, 403);
  }
}

void a_secret_proves_who_asks_by_bearer_and_basic(void** state) {
  Fixture& world = fixture_of<Fixture>(state);
  assert_true(world.start(world.secret_lines()));
  TlsClient client(world.tls());
  assert_text(shown(client.fetch("/get?host=ci&pool=p", bearer(world.ci))), "200 YES");
  assert_text(shown(client.fetch("/release?host=ci&pool=p", bearer(world.ci))), "200 OK");
  assert_text(shown(client.fetch("/get?host=web7&pool=p", bearer(world.fleet))), "200 YES");
  assert_text(shown(client.fetch("/release?host=web7&pool=p", bearer(world.fleet))), "200 OK");
  assert_text(shown(client.fetch("/get?host=web7&pool=p", bearer(world.ci))),
              "403 INVALID: the secret ci may speak for ci, not for \"web7\"");
  const Response without = client.fetch("/get?host=ci&pool=p");
  assert_int_equal(without.status, 401);
  assert_text(without.body, "INVALID");
  assert_int_equal(without.count("WWW-Authenticate"), 2);
  // From this machine it may come in clear.
  assert_text(shown(fetch(world.plain(), "/get?host=ci&pool=p", bearer(world.ci))), "200 YES");
  // A secret in the query is none.
  assert_int_equal(client.fetch("/get?host=ci&pool=p&secret=" + world.ci.secret).status, 401);
}

void a_wrong_secret_is_answered_and_the_connection_ends(void** state) {
  Fixture& world = fixture_of<Fixture>(state);
  assert_true(world.start(world.secret_lines()));
  struct Row {
    std::string headers;
    const char* begins;
  };
  const Row rows[] = {
      {bearer(world.stranger), "this secret is not known here"},
      {bearer(world.ci) + bearer(world.ci), "there is more than one Authorization header"},
      {"Authorization: Bearer hunter2\r\n", "the Authorization header has no secret"},
      {"Authorization: Basic aHVudGVyMg==\r\n", "the Authorization header has no secret"},
  };
  for (const Row& row : rows) {
    TlsClient client(world.tls());
    const Response response = client.fetch("/get?host=ci&pool=p", row.headers);
    assert_int_equal(response.status, 401);
    assert_that(response.header("Distributex-Error").starts_with(row.begins), "%s",
                response.header("Distributex-Error").c_str());
    assert_true(client.ended());
  }
  const std::string metrics = fetch(world.plain(), "/metrics", bearer(world.fleet)).body;
  for (const char* line : {"distributex_auth_failures_total{reason=\"unknown\"} 1\n",
                           "distributex_auth_failures_total{reason=\"twice\"} 1\n",
                           "distributex_auth_failures_total{reason=\"malformed\"} 2\n"}) {
    assert_that(metrics.find(line) != std::string::npos, "%s", line);
  }
}

void no_secret_is_ever_shown(void** state) {
  Fixture& world = fixture_of<Fixture>(state);
  assert_true(world.start(world.secret_lines()));
  TlsClient client(world.tls());
  const std::string target = "/release?host=ci&pool=p&token=" + world.ci.secret;
  std::string all = client.fetch(target, bearer(world.ci)).header("Distributex-Error");
  assert_text(all, "parameter \"token\" is not a whole number from 1 to 9007199254740991");
  TlsClient other(world.tls());
  all += shown(other.fetch("/get?host=ci&pool=p", bearer(world.stranger)));
  for (const char* page : {"/status/", "/events/", "/metrics"}) {
    TlsClient reader(world.tls());
    const Response response = reader.fetch(page, bearer(world.fleet));
    assert_int_equal(response.status, 200);
    all += response.body;
  }
  for (const std::string& line : world.daemon->log_lines()) {
    all += line;
  }
  assert_true(all.find("proof refused reason=unknown") != std::string::npos);
  assert_true(all.find("dxs_") == std::string::npos);
}

void rules_choose_by_pool_and_what_one_may(void** state) {
  Fixture& world = fixture_of<Fixture>(state);
  assert_true(world.start(world.secret_lines() +
                          "access:\n"
                          "  - {who: secret ci, pools: \"p*\"}\n"
                          "  - {who: secret fleet, may: look, pools: [q]}\n"));
  TlsClient client(world.tls());
  assert_text(shown(client.fetch("/get?host=ci&pool=p", bearer(world.ci))), "200 YES");
  assert_text(shown(client.fetch("/get?host=ci&pool=q", bearer(world.ci))),
              "403 INVALID: the secret ci may not lock pool \"q\"");
  assert_text(shown(client.fetch("/get?host=web7&pool=q", bearer(world.fleet))),
              "403 INVALID: the secret fleet may not lock pool \"q\"");
  const std::string seen = client.fetch("/status/", bearer(world.fleet)).body;
  assert_true(seen.find("\"name\":\"q\"") != std::string::npos);
  assert_true(seen.find("\"name\":\"p\"") == std::string::npos);
  assert_int_equal(client.fetch("/status/?pool=p", bearer(world.fleet)).status, 404);
  assert_int_equal(client.fetch("/metrics", bearer(world.fleet)).status, 403);
  const std::string events = client.fetch("/events/", bearer(world.ci)).body;
  assert_true(events.find("\"by\":\"secret:ci\"") != std::string::npos);
  assert_true(client.fetch("/events/", bearer(world.fleet)).body.find("granted") ==
              std::string::npos);
}

// An order of an operator, as a program sends it.
std::string ordered(TlsClient& client, std::string_view target, const std::string& extra) {
  if (!client.send(post_request(target, "", extra))) {
    return "not sent";
  }
  const auto response = client.response();
  return response ? std::to_string(response->status) + " " + response->header("Distributex-Result")
                  : "no answer";
}

void orders_are_for_whom_the_rules_let_administer(void** state) {
  Fixture& world = fixture_of<Fixture>(state);
  assert_true(world.start(world.secret_lines() +
                          "access:\n"
                          "  - {who: secret ci, may: administer, pools: \"p*\"}\n"
                          "  - {who: secret fleet, may: lock}\n"));
  TlsClient client(world.tls());
  const std::string freeze = "/freeze?reason=x&pool=";
  assert_text(ordered(client, freeze + "p", ""), "401 invalid");
  TlsClient other(world.tls());
  assert_text(ordered(other, freeze + "p", bearer(world.fleet)), "403 invalid");
  // Without rules being on this machine would be enough; here it is not.
  assert_int_equal(fetch(world.plain(), "/livez").status, 200);
  Connection near(world.plain());
  assert_true(near.send(post_request(freeze + "p", "")));
  assert_int_equal(near.response().value_or(Response{}).status, 401);
  TlsClient operators(world.tls());
  assert_text(ordered(operators, freeze + "q", bearer(world.ci)), "403 invalid");
  assert_text(ordered(operators, freeze + "*", bearer(world.ci)), "403 invalid");
  assert_text(ordered(operators, freeze + "p", bearer(world.ci)), "200 frozen");
  const auto line = world.daemon->wait_for_log("event=frozen");
  assert_true(line && line->find(" by=secret:ci") != line->npos);
  assert_text(shown(operators.fetch("/get?host=web7&pool=p", bearer(world.fleet))), "200 NO");
  assert_text(ordered(operators, "/thaw?pool=p", bearer(world.ci)), "200 thawed");
  assert_text(shown(operators.fetch("/get?host=web7&pool=p", bearer(world.fleet))), "200 YES");
}

void probes_are_open_and_pages_ask_who_it_is(void** state) {
  Fixture& world = fixture_of<Fixture>(state);
  assert_true(world.start(world.secret_lines()));
  TlsClient client(world.tls());
  for (const char* open : {"/livez", "/readyz", "/health", "/healthz", "/"}) {
    assert_int_equal(client.fetch(open).status, 200);
  }
  for (const char* closed : {"/status/", "/events/", "/metrics"}) {
    const Response response = client.fetch(closed);
    assert_int_equal(response.status, 401);
    assert_int_equal(response.count("WWW-Authenticate"), 2);
  }
  assert_int_equal(client.fetch("/", "Accept: text/html\r\n").status, 401);
  assert_int_equal(client.fetch("/", "Accept: text/html\r\n" + bearer(world.fleet)).status, 200);
}

void a_reload_that_takes_a_right_away_answers_waiters(void** state) {
  Fixture& world = fixture_of<Fixture>(state);
  assert_true(world.start(world.secret_lines()));
  TlsClient holder(world.tls());
  assert_text(holder.fetch("/get?host=web1&pool=p", bearer(world.fleet)).body, "YES");
  TlsClient waiter(world.tls());
  assert_true(waiter.send(get_request("/wait?host=ci&pool=p", bearer(world.ci))));
  assert_true(eventually([&] {
    return fetch(world.plain(), "/status/?pool=p", bearer(world.fleet)).body.find("\"queued\":1") !=
           std::string::npos;
  }));
  world.put("secrets", world.fleet.line + ":*\n");
  assert_true(world.reload(world.secret_lines()));
  const auto response = waiter.response();
  assert_true(response.has_value());
  assert_int_equal(response->status, 401);
  assert_text(holder.fetch("/renew?host=web1&pool=p", bearer(world.fleet)).body, "OK");
  world.put("secrets", world.ci.line + "\n");
  assert_true(world.reload(world.secret_lines()));
  assert_int_equal(holder.fetch("/renew?host=web1&pool=p", bearer(world.fleet)).status, 401);
}

void a_browser_acts_for_no_other_site_with_or_without_rules(void** state) {
  Fixture& world = fixture_of<Fixture>(state);
  assert_true(world.start());
  const auto status = [&](const char* headers) {
    return fetch(world.plain(), "/release?host=h&pool=p", headers).status;
  };
  assert_int_equal(status(""), 200);
  assert_int_equal(status("Sec-Fetch-Site: same-origin\r\n"), 200);
  assert_int_equal(status("Sec-Fetch-Site: none\r\n"), 200);
  assert_int_equal(status("Sec-Fetch-Site: cross-site\r\n"), 403);
  assert_int_equal(status("Sec-Fetch-Site: same-site\r\n"), 403);
  assert_int_equal(status("Origin: http://evil.example\r\n"), 403);
  assert_int_equal(status("Origin: null\r\n"), 403);
  const Response page =
      fetch(world.plain(), "/livez", "Sec-Fetch-Site: cross-site\r\nOrigin: http://e.example\r\n");
  assert_int_equal(page.status, 200);
}

void other_doors_ask_who_it_is_too(void** state) {
  Fixture& world = fixture_of<Fixture>(state);
  assert_true(world.start(world.secret_lines() + "access: [{who: secret ci, pools: [q]}]\n"));
  TlsClient client(world.tls());
  const Response look = client.fetch("/terraform/p");
  assert_int_equal(look.status, 401);
  assert_int_equal(look.count("WWW-Authenticate"), 2);
  assert_int_equal(client.fetch("/terraform/p", bearer(world.ci)).status, 403);
  assert_int_equal(client.fetch("/terraform/q", bearer(world.ci)).status, 404);
  assert_true(
      client.send("LOCK /terraform/q HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\n"
                  "{\"ID\":\"i\"}"));
  assert_int_equal(client.response()->status, 401);
  assert_int_equal(client.fetch("/terraform/q", bearer(world.ci)).status, 404);
}

// The server itself renews and gives back the lease of a held connection. Rules that allow
// nothing without a proof must not keep the server from that.
void a_held_connection_keeps_its_lock_and_frees_it_under_rules(void** state) {
  Fixture& world = fixture_of<Fixture>(state);
  const std::string rules = world.secret_lines() + "access: [{who: secret}]\n";
  assert_true(world.start(rules));
  {
    TlsClient holder(world.tls());
    assert_true(holder.send(get_request("/hold?host=ci&pool=p&expire=2", bearer(world.ci))));
    assert_true(world.daemon->wait_for_log("event=granted").has_value());
    // This waits for longer than the lease: without renewals the other would get the lock.
    TlsClient other(world.tls());
    const Response late = other.fetch("/wait/?host=web7&pool=p&timeout=4", bearer(world.fleet));
    assert_text(late.body, "NO");
  }
  assert_true(world.daemon->wait_for_log("event=released").has_value());
  // When the client loses its right the server ends the stream and renews no more.
  TlsClient holder(world.tls());
  assert_true(holder.send(get_request("/hold/?host=ci&pool=q&expire=2", bearer(world.ci))));
  world.daemon->forget_log();
  assert_true(world.daemon->wait_for_log("event=granted").has_value());
  world.put("secrets", world.fleet.line + ":*\n");
  assert_true(world.reload(rules));
  TlsClient other(world.tls());
  assert_text(other.fetch("/wait/?host=web7&pool=q&timeout=15", bearer(world.fleet)).body, "YES");
}

void a_header_about_a_certificate_proves_nothing(void** state) {
  Fixture& world = fixture_of<Fixture>(state);
  assert_true(world.start(world.puppet_lines()));
  TlsClient client(world.tls());
  assert_int_equal(client
                       .fetch("/get?host=web1&pool=p",
                              "X-SSL-Client-CN: web1\r\nX-Client-CN: web1\r\n"
                              "X-SSL-Client-Verify: SUCCESS\r\n")
                       .status,
                   403);
}

}  // namespace

int main() {
  signal(SIGPIPE, SIG_IGN);
  const CMUnitTest tests[] = {
      test_with(Fixture, a_certificate_locks_for_the_host_that_it_proves),
      test_with(Fixture, a_certificate_that_proves_nothing_hears_why),
      test_with(Fixture, a_revoked_certificate_loses_its_session_at_the_reload),
      test_with(Fixture, a_secret_proves_who_asks_by_bearer_and_basic),
      test_with(Fixture, a_wrong_secret_is_answered_and_the_connection_ends),
      test_with(Fixture, no_secret_is_ever_shown),
      test_with(Fixture, rules_choose_by_pool_and_what_one_may),
      test_with(Fixture, orders_are_for_whom_the_rules_let_administer),
      test_with(Fixture, probes_are_open_and_pages_ask_who_it_is),
      test_with(Fixture, a_reload_that_takes_a_right_away_answers_waiters),
      test_with(Fixture, a_browser_acts_for_no_other_site_with_or_without_rules),
      test_with(Fixture, other_doors_ask_who_it_is_too),
      test_with(Fixture, a_held_connection_keeps_its_lock_and_frees_it_under_rules),
      test_with(Fixture, a_header_about_a_certificate_proves_nothing),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
