// SPDX-License-Identifier: MIT
// The client over TLS: which servers it accepts, how it proves itself, what it says when
// either fails, and what happens when a proof expires while the command runs.
#include <signal.h>
#include <stdlib.h>
#include <sys/stat.h>

#include <string>
#include <vector>

#include "http/secrets.h"
#include "support/client.h"
#include "support/status.h"
#include "support/test.h"
#include "support/tls_world.h"

namespace distributex::test {
namespace {

using Words = std::vector<std::string>;

struct Fixture : TlsWorld {
  MadeSecret fleet = *make_secret("fleet");

  bool begin() {
    put("secrets", fleet.line + ":*\n");
    put("secret", fleet.secret + "\n");
    (void)chmod(file("secret").c_str(), 0600);
    put("root.pem", puppet.root.pem());
    return true;
  }
  bool finish() { return daemon->stop(); }

  std::string puppet_lines() const {
    return "tls_client_ca: " + file("ca.pem") + "\ntls_crl: " + file("crl.pem") + "\n";
  }
  std::string secret_lines() const { return "secrets: " + file("secrets") + "\n"; }
  void put_agent(const Issued& issued) const {
    put("agent.pem", issued.pem + puppet.issuing.pem());
    put("agent.key", issued.key_pem);
  }
  std::string https() const { return "https://localhost:" + std::to_string(tls()); }
  // "-H https://localhost:PORT --cacert root.pem", and more.
  Words args(const Words& more) const {
    Words words = {"-H", https(), "--cacert", file("root.pem")};
    words.insert(words.end(), more.begin(), more.end());
    return words;
  }
  Words agent_args(const Words& more) const {
    Words words = args({"--cert", file("agent.pem"), "--key", file("agent.key"), "--host", "web1"});
    words.insert(words.end(), more.begin(), more.end());
    return words;
  }
  Words secret_args(const Words& more) const {
    Words words = args({"--secret-file", file("secret")});
    words.insert(words.end(), more.begin(), more.end());
    return words;
  }
};

void check(const Ended& ended, int code, const std::string& says) {
  assert_that(ended.code == code && ended.err.find(says) != std::string::npos,
              "exit %d, not %d; should say \"%s\": %s", ended.code, code, says.c_str(),
              ended.err.c_str());
}

Ended with_environment(const Words& args, const Words& environment) {
  Client client(args, {.environment = environment, .in_child = {}});
  return client.finish();
}

void a_server_is_believed_that_proves_its_name(void** state) {
  Fixture& f = fixture_of<Fixture>(state);
  assert_true(f.start());
  const Ended ended = run_client(f.args({"-r", "p", "echo done"}));
  assert_int_equal(ended.code, 0);
  assert_text(ended.out, "done\n");
  assert_int_equal(run_client(f.args({"--ping"})).code, 0);
  assert_true(run_client(f.args({"--status"})).out.find("p ") != std::string::npos);
}

void what_is_wrong_with_tls_is_said_and_nothing_is_run(void** state) {
  Fixture& f = fixture_of<Fixture>(state);
  assert_true(f.start());
  const Authority other("Other CA");
  f.put("other.pem", other.pem());
  const std::string port = std::to_string(f.tls());
  const std::string plain_port = std::to_string(f.plain());
  struct Row {
    Words args;
    std::string says;
  };
  const Row rows[] = {
      {{"-H", f.https()}, "the server's certificate is of no CA that this host trusts"},
      {{"-H", f.https(), "--cacert", f.file("other.pem")},
       "the server's certificate is of no CA in " + f.file("other.pem")},
      {{"-H", "https://127.0.0.1:" + port, "--cacert", f.file("root.pem")},
       "the server's certificate is not for the name 127.0.0.1"},
      {{"-H", "https://localhost:" + plain_port, "--cacert", f.file("root.pem")},
       "the server speaks no TLS at this port"},
      {{"-H", "localhost:" + port}, "this address speaks TLS: use https://"},
      {f.args({"--cert", "/nowhere"}),
       "this host's certificate cannot be used: /nowhere: No such file or directory"},
      {f.args({"--cert", f.file("server.pem"), "--key", "/nowhere"}),
       "this host's certificate cannot be used: /nowhere: No such file or directory"},
      {{"-H", f.https(), "--cacert", "/nowhere"},
       "the CAs of servers cannot be read from /nowhere: No such file or directory"},
  };
  for (const Row& row : rows) {
    Words words = row.args;
    // A wrong certificate does not become right, so the client does not wait with -w.
    words.insert(words.end(), {"-r", "p", "-w", "100000", "echo ran"});
    const Ended ended = run_client(words);
    check(ended, 69, row.says);
    assert_text(ended.out, "");
    Words ping = row.args;
    ping.push_back("--ping");
    check(run_client(ping), 69, row.says.substr(0, 20));
  }
}

void an_expired_server_is_not_believed_and_the_next_one_is_asked(void** state) {
  Fixture& f = fixture_of<Fixture>(state);
  const Issued expired =
      f.puppet.issuing.issue({.dns = {"localhost"}, .from = -7200, .until = -3600});
  f.put("server.pem", expired.pem + f.puppet.issuing.pem());
  f.put("server.key", expired.key_pem);
  assert_true(f.start());
  check(run_client(f.args({"-r", "p", "true"})), 69, "the server's certificate has expired");
  const std::string both = f.https() + ",127.0.0.1:" + std::to_string(f.plain());
  const Ended ended =
      run_client({"-H", both, "--cacert", f.file("root.pem"), "-r", "p", "echo done"});
  assert_int_equal(ended.code, 0);
  assert_text(ended.out, "done\n");
}

void a_certificate_proves_the_host(void** state) {
  Fixture& f = fixture_of<Fixture>(state);
  assert_true(f.start(f.puppet_lines()));
  f.put_agent(f.puppet.agent("web1"));
  assert_int_equal(run_client(f.agent_args({"-r", "p", "true"})).code, 0);
  check(run_client(f.args({"--host", "web1", "-r", "p", "true"})), 69, "a proof is needed");
  check(run_client(f.agent_args({"--host", "web2", "-r", "p", "true"})), 69,
        "the certificate proves web1, not \"web2\"");
  check(run_client(f.args({"--status"})), 69, "a proof is needed");
  assert_int_equal(run_client(f.agent_args({"--status"})).code, 0);
}

void a_secret_proves_it_too_and_no_command_inherits_it(void** state) {
  Fixture& f = fixture_of<Fixture>(state);
  assert_true(f.start(f.secret_lines()));
  assert_int_equal(run_client(f.secret_args({"-r", "p", "true"})).code, 0);
  assert_int_equal(run_client(f.secret_args({"--status"})).code, 0);
  const std::string path = std::string("PATH=") + getenv("PATH");
  const Ended ended = with_environment(
      f.args({"-v", "-r", "p", "env"}),
      {path, "DISTRIBUTEX_CONFIG=", "DISTRIBUTEX_SECRET=" + f.fleet.secret, "OTHER=there"});
  assert_int_equal(ended.code, 0);
  assert_true(ended.out.find("OTHER=there") != std::string::npos);
  assert_true((ended.out + ended.err).find("dxs_") == std::string::npos);
  check(run_client(f.args({"-r", "p", "true"})), 69, "a proof is needed");
}

void a_secret_goes_nowhere_in_clear(void** state) {
  Fixture& f = fixture_of<Fixture>(state);
  assert_true(f.start(f.secret_lines()));
  check(run_client({"-H", "192.0.2.1", "--secret-file", f.file("secret"), "-r", "p", "true"}), 64,
        "the secret would go to 192.0.2.1:9889 in clear");
  // To this machine itself a secret may go in clear.
  assert_int_equal(run_client({"-H", "127.0.0.1:" + std::to_string(f.plain()), "--secret-file",
                               f.file("secret"), "-r", "p", "true"})
                       .code,
                   0);
  (void)chmod(f.file("secret").c_str(), 0644);
  check(run_client(f.secret_args({"-r", "p", "true"})), 64,
        "everybody on this host can read the secret in " + f.file("secret"));
}

void a_file_says_what_the_command_line_does_not(void** state) {
  Fixture& f = fixture_of<Fixture>(state);
  assert_true(f.start(f.secret_lines()));
  const std::string path = std::string("PATH=") + getenv("PATH");
  const Words environment = {path, "DISTRIBUTEX_CONFIG=" + f.file("client.conf")};
  f.put("client.conf", "server: " + f.https() + "\ncacert: " + f.file("root.pem") +
                           "\nsecret-file: " + f.file("secret") + "\n");
  assert_int_equal(with_environment({"-r", "p", "true"}, environment).code, 0);
  assert_int_equal(with_environment({"--ping"}, environment).code, 0);
  check(with_environment({"-H", "localhost:1", "-r", "p", "true"}, environment), 69, "localhost:1");
  f.put("client.conf", "sever: a\n");
  check(with_environment({"-r", "p", "true"}, environment), 64,
        f.file("client.conf") + ":1: \"sever\" is no option");
  assert_int_equal(with_environment({"--help"}, environment).code, 0);
  check(with_environment({"-r", "p", "true"}, {path, "DISTRIBUTEX_CONFIG=/nowhere"}), 64,
        "/nowhere: No such file or directory");
}

double handshakes(const Fixture& f, const char* result) {
  const std::string name =
      std::string("distributex_tls_handshakes_total{result=\"") + result + "\"} ";
  const std::string page = fetch(f.plain(), "/metrics").body;
  const size_t at = page.find(name);
  return at == page.npos ? 0 : atof(page.c_str() + at + name.size());
}

void later_requests_resume_the_session_of_the_first(void** state) {
  Fixture& f = fixture_of<Fixture>(state);
  assert_true(f.start("tls_client_ca: " + f.file("ca.pem") +
                      "\naccess: [{who: certificate}, {who: 127.0.0.1, may: look}]\n"));
  f.put_agent(f.puppet.agent("web1"));
  assert_int_equal(run_client(f.agent_args({"-r", "p", "true"})).code, 0);
  assert_true(handshakes(f, "full") == 1);
  assert_true(handshakes(f, "resumed") >= 1);
}

void a_renewed_certificate_counts_while_the_command_runs(void** state) {
  Fixture& f = fixture_of<Fixture>(state);
  assert_true(f.start(f.puppet_lines()));
  f.put_agent(f.puppet.issuing.issue({.dns = {"web1"}, .until = 4}));
  Client client(f.agent_args({"--lease", "3", "-r", "p", "exec sleep 1000"}));
  assert_true(f.daemon->wait_for_log("event=granted").has_value());
  f.put_agent(f.puppet.agent("web1"));
  // The resumed TLS session still has the old certificate; then the client shows the new one.
  assert_true(f.daemon->wait_for_log("reason=expired").has_value());
  f.daemon->forget_log();
  assert_that(client.running(), "%s", client.err().c_str());
  client.send(SIGTERM);
  const Ended ended = client.finish();
  assert_true(ended.err.find("lost") == std::string::npos);
  assert_true(f.daemon->wait_for_log("event=released").has_value());
}

void a_certificate_that_ends_costs_the_lock_and_the_reason_is_said(void** state) {
  Fixture& f = fixture_of<Fixture>(state);
  assert_true(f.start(f.puppet_lines()));
  f.put_agent(f.puppet.issuing.issue({.dns = {"web1"}, .until = 4}));
  Client client(f.agent_args({"--lease", "3", "-r", "p", "exec sleep 1000"}));
  const Ended ended = client.finish();
  check(ended, 74, "lost the lock on p");
  check(ended, 74, "your certificate");
  check(ended, 74, "expired");
}

}  // namespace
}  // namespace distributex::test

int main() {
  using namespace distributex::test;
  signal(SIGPIPE, SIG_IGN);
  const CMUnitTest tests[] = {
      test_with(Fixture, a_server_is_believed_that_proves_its_name),
      test_with(Fixture, what_is_wrong_with_tls_is_said_and_nothing_is_run),
      test_with(Fixture, an_expired_server_is_not_believed_and_the_next_one_is_asked),
      test_with(Fixture, a_certificate_proves_the_host),
      test_with(Fixture, a_secret_proves_it_too_and_no_command_inherits_it),
      test_with(Fixture, a_secret_goes_nowhere_in_clear),
      test_with(Fixture, a_file_says_what_the_command_line_does_not),
      test_with(Fixture, later_requests_resume_the_session_of_the_first),
      test_with(Fixture, a_renewed_certificate_counts_while_the_command_runs),
      test_with(Fixture, a_certificate_that_ends_costs_the_lock_and_the_reason_is_said),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
