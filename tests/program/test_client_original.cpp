// SPDX-License-Identifier: MIT
// distributex against servers that are not ours: the original service, of which a
// stand-in is enough, and things that are no lock server at all.
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "support/client.h"
#include "support/client_original.h"
#include "support/daemon.h"
#include "support/http.h"
#include "support/scenes.h"
#include "support/test.h"

namespace distributex::test {
namespace {

struct Fixture {
  StandIn server = StandIn::original();
  TempDir dir;
  std::string mark = dir.file("ran");

  [[nodiscard]] Ended run(const std::vector<std::string>& more,
                          std::string_view pool = "one") const {
    return run_client(on(server.port(), pool, more));
  }
  [[nodiscard]] bool has_run() const { return access(mark.c_str(), F_OK) == 0; }
};

// The original answers in chunks: what is between the sizes.
std::string said(const Fixture& f, std::string_view target) {
  Connection connection(f.server.port());
  connection.send(get_request(target));
  (void)connection.wait_end();
  const std::string& all = connection.unread();
  const size_t at = all.find("\r\n\r\n");
  const size_t from = at == std::string::npos ? at : all.find("\r\n", at + 4);
  return from == std::string::npos ? ""
                                   : all.substr(from + 2, all.find("\r\n", from + 2) - from - 2);
}

void the_original_lets_a_command_run_and_gets_its_lock_back(void** state) {
  auto& f = fixture_of<Fixture>(state);
  (void)setenv("DISTRIBUTEX_TOKEN", "17",
               1);  // as of a run around this one; the command must not inherit it
  for (const std::vector<std::string>& way : {std::vector<std::string>{"-n"}, {"-w", "5"}, {}}) {
    std::vector<std::string> args = way;
    args.emplace_back("test -z \"$DISTRIBUTEX_TOKEN\" && exit 7");
    const Ended ended = f.run(args);
    assert_int_equal(ended.code, 7);
    assert_text(ended.err, "");
    assert_text(said(f, "/get/?pool=one&host=other"), "YES");
    assert_text(said(f, "/release/?pool=one&host=other"), "OK");
  }
  (void)unsetenv("DISTRIBUTEX_TOKEN");
}

void the_original_is_waited_for(void** state) {
  auto& f = fixture_of<Fixture>(state);
  assert_text(said(f, "/get/?pool=one&host=other"), "YES");
  assert_int_equal(f.run({"-n", "--", "touch", f.mark}).code, 75);
  assert_int_equal(f.run({"-w", "0.3", "--", "touch", f.mark}).code, 75);
  assert_false(f.has_run());
  const size_t before = f.server.requests();
  Client client(on(f.server.port(), "one", {"--", "touch", f.mark}));
  assert_true(eventually([&] { return f.server.requests() > before; }));
  assert_text(said(f, "/release/?pool=one&host=other"), "OK");
  assert_int_equal(client.finish().code, 0);
  assert_true(f.has_run());
}

void the_original_is_not_asked_to_renew(void** state) {
  auto& f = fixture_of<Fixture>(state);
  const size_t before = f.server.requests();
  assert_int_equal(f.run({"--lease", "1", "--", "sleep", "1.5"}).code, 0);
  assert_int_equal(f.server.requests() - before, 2);  // a wait and a release
}

void the_originals_invalid_is_69(void** state) {
  auto& f = fixture_of<Fixture>(state);
  const Ended ended = f.run({"--", "touch", f.mark}, "no such pool");
  assert_int_equal(ended.code, 69);
  assert_int_equal(lines_in(ended.err), 1);
  assert_non_null(strstr(ended.err.c_str(), "INVALID"));
  assert_false(f.has_run());
}

void the_original_has_no_status_but_can_be_pinged(void** state) {
  auto& f = fixture_of<Fixture>(state);
  const std::string address = "127.0.0.1:" + std::to_string(f.server.port());
  assert_int_equal(run_client({"-H", address, "--status"}).code, 69);
  assert_int_equal(run_client({"-H", address, "--ping"}).code, 0);
}

void a_signal_while_waiting_at_the_original_leaves_it(void** state) {
  auto& f = fixture_of<Fixture>(state);
  assert_text(said(f, "/get/?pool=one&host=other"), "YES");
  const size_t before = f.server.requests();
  Client client(on(f.server.port(), "one", {"--", "touch", f.mark}));
  assert_true(eventually([&] { return f.server.requests() > before; }));
  client.send(SIGINT);
  assert_int_equal(client.finish().code, died_by + SIGINT);
  assert_text(said(f, "/release/?pool=one&host=other"), "OK");
  assert_false(f.has_run());
  assert_text(said(f, "/get/?pool=one&host=third"), "YES");
}

struct Odd {
  const char* what;
  std::string bytes;
};

std::string http(const std::string& head, const std::string& body) {
  return "HTTP/1.1 " + head + "\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" +
         body;
}

// The client runs the command only if the answer says clearly that it has the lock.
void nothing_is_run_on_the_word_of_something_else(void**) {
  const TempDir dir;
  const std::string mark = dir.file("ran");
  const std::vector<Odd> odd = {
      {"closes", ""},
      {"no HTTP", "SSH-2.0-OpenSSH_9.2\r\n"},
      {"a web page", http("404 Not Found", "<html>no such page</html>")},
      {"YES in a page", http("200 OK", "YES!")},
      {"a newline more", http("200 OK", "YES\n")},
      {"lower case", http("200 OK", "yes")},
      {"YES with an error's status", http("500 Internal Server Error", "YES")},
      {"a redirect", http("302 Found\r\nLocation: http://127.0.0.1:1/", "YES")},
      {"granted without YES",
       http("200 OK\r\nDistributex-Result: granted\r\nDistributex-Token: 1", "NO")},
      {"YES, but busy", http("200 OK\r\nDistributex-Result: busy\r\nDistributex-Token: 1", "YES")},
      {"granted without a token", http("200 OK\r\nDistributex-Result: granted", "YES")},
      {"an end that cannot be read",
       http("200 OK\r\nDistributex-Result: granted\r\nDistributex-Token: 1\r\n"
            "Distributex-Expires: soon",
            "YES")},
      {"cut off", "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nYE"},
      {"unavailable",
       http("503 Service Unavailable\r\nDistributex-Result: unavailable\r\nRetry-After: 1", "NO")},
      {"a gateway without a server", http("502 Bad Gateway", "YES")},
  };
  // All clients at once, because each needs a second to give up.
  std::vector<StandIn> servers;
  std::vector<std::unique_ptr<Client>> clients;
  for (const Odd& row : odd) {
    servers.push_back(StandIn::fixed(row.bytes));
    clients.push_back(
        std::make_unique<Client>(on(servers.back().port(), "one", {"-n", "--", "touch", mark})));
  }
  for (size_t i = 0; i < odd.size(); ++i) {
    const Ended ended = clients[i]->finish();
    const int expected = strcmp(odd[i].what, "YES, but busy") == 0 ? 75 : 69;
    assert_that(ended.code == expected, "%s: exit %d, %s", odd[i].what, ended.code,
                ended.err.c_str());
    assert_that(lines_in(ended.err) == 1, "%s: %s", odd[i].what, ended.err.c_str());
  }
  assert_int_equal(access(mark.c_str(), F_OK), -1);
}

void what_a_server_says_cannot_steer_the_terminal(void**) {
  const StandIn server = StandIn::fixed(
      http("200 OK\r\nDistributex-Result: invalid\r\nDistributex-Error: a\x1b[2Jb\x07"
           "c\xc2\x9b"
           "d",
           "INVALID"));
  const Ended ended = run_client(on(server.port(), "one", {"true"}));
  assert_int_equal(ended.code, 69);
  for (const char c : ended.err.substr(0, ended.err.size() - 1)) {
    assert_true(static_cast<unsigned char>(c) >= 0x20);
  }
  assert_true(ended.err.find("\xc2\x9b") == std::string::npos);
}

// The client asks again after the time that Retry-After names, and not before.
void retry_after_is_honoured(void**) {
  const StandIn server = StandIn::fixed(
      http("503 Service Unavailable\r\nDistributex-Result: unavailable\r\nRetry-After: 2", "NO"));
  const Ended ended = run_client(on(server.port(), "one", {"-v", "-w", "1.5", "true"}));
  assert_int_equal(ended.code, 69);
  size_t attempts = 0;
  const std::string mark = "distributex: 127.0.0.1:";
  for (size_t at = 0; (at = ended.err.find(mark, at)) != std::string::npos; at += mark.size()) {
    ++attempts;
  }
  assert_int_equal(attempts, 1);
}

}  // namespace
}  // namespace distributex::test

int main() {
  using namespace distributex::test;
  const CMUnitTest tests[] = {
      test_with(Fixture, the_original_lets_a_command_run_and_gets_its_lock_back),
      test_with(Fixture, the_original_is_waited_for),
      test_with(Fixture, the_original_is_not_asked_to_renew),
      test_with(Fixture, the_originals_invalid_is_69),
      test_with(Fixture, the_original_has_no_status_but_can_be_pinged),
      test_with(Fixture, a_signal_while_waiting_at_the_original_leaves_it),
      cmocka_unit_test(nothing_is_run_on_the_word_of_something_else),
      cmocka_unit_test(what_a_server_says_cannot_steer_the_terminal),
      cmocka_unit_test(retry_after_is_honoured),
  };
  return run_beside(tests);
}
