// SPDX-License-Identifier: MIT
// What distributex decides without any I/O: when a lease is renewed and given up,
// what an answer means, what the command line asks for, how addresses, targets
// and the status are spelled.
#include <string.h>

#include "client/identity.h"
#include "client/lease.h"
#include "client/options.h"
#include "client/reply.h"
#include "client/server.h"
#include "client/signals.h"
#include "client/status.h"
#include "support/test.h"

namespace distributex::client {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

const Moment start{std::chrono::hours(100)};

void a_lease_counts_from_before_it_was_asked_for(void**) {
  const Lease lease(start, seconds(30), seconds(30));
  assert_true(lease.renew_at() == start + seconds(10));
  assert_true(*lease.term_at() == start + seconds(24));
  assert_true(*lease.kill_at() == start + seconds(27));
  assert_true(*lease.guard_at() == start + milliseconds(28500));
  assert_true(*lease.ends_at() == start + seconds(30));
}

void every_lease_is_given_up_in_order(void**) {
  for (const Span length : {Span(milliseconds(20)), Span(seconds(1)), Span(seconds(7)),
                            Span(std::chrono::hours(1)), Span(std::chrono::hours(1000))}) {
    const Lease lease(start, length, seconds(30));
    assert_true(start < lease.renew_at());
    assert_true(lease.renew_at() < *lease.term_at());
    assert_true(*lease.term_at() < *lease.kill_at());
    assert_true(*lease.kill_at() < *lease.guard_at());
    assert_true(*lease.guard_at() < *lease.ends_at());
    assert_true(*lease.ends_at() - *lease.term_at() <= seconds(30));
  }
}

void a_renewal_moves_all_of_it(void**) {
  Lease lease(start, seconds(30), seconds(30));
  lease.renewed(start + seconds(11), seconds(3));
  assert_true(lease.renew_at() == start + seconds(12));
  assert_true(*lease.ends_at() == start + seconds(14));
}

void a_failed_renewal_is_tried_again_soon_and_moves_no_deadline(void**) {
  Lease lease(start, seconds(30), seconds(30));
  const Moment end = *lease.term_at();
  for (const double jitter : {0.0, 0.5, 0.999}) {
    lease.renewal_failed(start + seconds(10), jitter);
    assert_true(lease.renew_at() > start + seconds(10));
    assert_true(lease.renew_at() < start + seconds(12));
  }
  assert_true(*lease.term_at() == end);
}

void a_lease_without_end_is_renewed_in_the_rhythm_asked_for(void**) {
  const Lease lease(start, std::nullopt, seconds(30));
  assert_true(lease.renew_at() == start + seconds(10));
  assert_false(lease.term_at() || lease.kill_at() || lease.guard_at() || lease.ends_at());
}

void a_late_answer_is_not_fresh(void**) {
  assert_true(is_fresh(seconds(3), seconds(30)));
  assert_false(is_fresh(seconds(4), seconds(30)));
  assert_true(is_fresh(std::chrono::hours(1), std::nullopt));
}

void pauses_grow_and_are_jittered(void**) {
  Backoff calm;
  Backoff hasty;
  Span last{};
  for (int i = 0; i < 40; ++i) {
    const Span shortest = hasty.next(0.0);
    const Span longest = calm.next(0.999);
    assert_true(shortest > Span::zero() && shortest < longest && shortest >= last);
    assert_true(longest <= milliseconds(7500));
    last = shortest;
  }
}

RawAnswer answer(std::string body, const std::vector<std::string>& headers, long status = 200) {
  RawAnswer raw;
  raw.status = status;
  raw.body = std::move(body);
  for (const std::string& line : headers) {
    take_header(raw, line);
  }
  return raw;
}

void a_grant_has_token_and_end(void**) {
  const Reply reply =
      interpret(answer("YES", {"HTTP/1.1 200 OK\r\n", "Distributex-Result: granted\r\n",
                               "distributex-token:42\r\n", "Distributex-Expires: 29.500 \r\n"}));
  assert_true(reply.result == Result::granted && !reply.original);
  assert_int_equal(reply.token.value_or(0), 42);
  assert_true(reply.expires == milliseconds(29500));
}

void the_originals_words_are_understood(void**) {
  assert_true(interpret(answer("YES", {})).result == Result::granted);
  assert_true(interpret(answer("YES", {})).original);
  assert_true(interpret(answer("NO", {})).result == Result::busy);
  assert_true(interpret(answer("OK", {})).result == Result::released);
  assert_true(interpret(answer("INVALID", {})).result == Result::invalid);
  assert_false(interpret(answer("YES", {}, 404)).result.has_value());
  assert_true(interpret(answer("", {"Retry-After: 3"}, 503)).retry_after == seconds(3));
}

void only_the_last_of_several_answers_counts(void**) {
  const Reply reply =
      interpret(answer("NO", {"HTTP/1.1 200 OK", "Distributex-Result: granted", "HTTP/1.1 200 OK",
                              "Distributex-Result: busy", "Distributex-Result: granted"}));
  assert_true(reply.result == Result::busy);
}

void numbers_are_read_whole_or_not_at_all(void**) {
  for (const char* token :
       {"", "-1", "1x", " 1", "1.0", "9007199254740992", "99999999999999999999"}) {
    RawAnswer raw = answer("YES", {"Distributex-Result: granted"});
    raw.token = token;
    assert_that(!interpret(raw).result, "token \"%s\"", token);
  }
  for (const char* expires : {"", "-1", "nan", "inf", "1e99", "30s"}) {
    RawAnswer raw = answer("OK", {"Distributex-Result: renewed", "Distributex-Token: 1"});
    raw.expires = expires;
    assert_that(!interpret(raw).result, "expires \"%s\"", expires);
  }
}

std::optional<Options> parse(std::vector<std::string> words, std::string* error = nullptr) {
  std::vector<char*> argv;
  words.insert(words.begin(), "distributex");
  for (std::string& word : words) {
    argv.push_back(word.data());
  }
  argv.push_back(nullptr);
  std::string ignored;
  return parse_options(static_cast<int>(words.size()), argv.data(),
                       error == nullptr ? ignored : *error);
}

void options_have_their_defaults(void**) {
  const auto options = parse({"-H", "lock", "-r", "p", "true"});
  assert_true(options.has_value());
  assert_text(options->servers.at(0).name(), "lock:9889");
  assert_true(options->lease == seconds(30) && !options->wait && !options->local);
  assert_true(options->command == std::vector<std::string>({"/bin/sh", "-c", "true"}));
}

void long_forms_and_dashes_are_understood(void**) {
  const auto options = parse({"--server=a,b:1", "--pool", "p", "--port=7", "--no-wait", "--local",
                              "--id", "--", "--", "ls", "-l", "--", "x"});
  assert_true(options.has_value());
  assert_text(options->servers.at(0).name() + " " + options->servers.at(1).name(), "a:7 b:1");
  assert_true(options->impatient() && options->local);
  assert_true(parse({"-H", "a", "-r", "p", "-n", "-w", "3", "x"})->wait == seconds(3));
  assert_true(parse({"-H", "a", "-r", "p", "-w", "3", "-n", "x"})->impatient());
  assert_text(options->id, "--");
  assert_true(options->command == std::vector<std::string>({"ls", "-l", "--", "x"}));
  // Here "--" is a value, and no end of the options.
  assert_false(parse({"-H", "a", "-r", "p", "-i", "--", "ls", "-l"}).has_value());
}

void wrong_usage_is_explained(void**) {
  struct Row {
    std::vector<std::string> words;
    const char* explanation;
  };
  const std::vector<Row> rows = {
      {{"-r", "p", "x"}, "no server given (-H HOST)"},
      {{"-H", "a", "x"}, "no pool given (-r POOL)"},
      {{"-H", "a", "-r", "p"}, "no command given"},
      {{"-H", "a", "-r", "p", "--"}, "no command given"},
      {{"-H", "a b", "-r", "p", "x"},
       "-H (--server) wants HOST, HOST:PORT or [IPV6]:PORT, with https:// before it for TLS, "
       "separated by commas, not \"a b\""},
      {{"-H", "a", "-r", "p", "-w", "-1", "x"},
       "-w (--wait) wants a number of seconds, 0 or more, not \"-1\""},
      {{"-H", "a", "-r", "p", "-p", "0", "x"},
       "-p (--port) wants a number from 1 to 65535, not \"0\""},
      {{"-H", "a", "-r", "p", "-Z", "x"}, "unknown option -Z"},
      {{"-H", "a", "--nosuch=1", "x"}, "unknown option --nosuch=1"},
      {{"--verbose=1", "true"}, "-v (--verbose) takes no value"},
      {{"--status=1"}, "--status takes no value"},
      {{"--lease=0", "true"}, "--lease wants a whole number from 1 to 86400, not \"0\""},
      {{"--lease"}, "--lease wants a whole number from 1 to 86400"},
      {{"-H", "a", "--json"}, "--json goes with --status only"},
      {{"-H", "a", "--for=1h"}, "--for goes with --freeze only"},
      {{"-H"},
       "-H (--server) wants HOST, HOST:PORT or [IPV6]:PORT, with https:// before it for TLS, "
       "separated by commas"},
      {{"-H", "a", "-r", "p", "--key", "k", "x"},
       "a key (--key) is of no use without its certificate (--cert)"},
      {{"-H", "https://a, b:7", "-r", "p", "--secret-file", "s", "x"},
       "the secret would go to b:7 in clear: write https://b:7, or use no secret"},
      {{"-H", "localhost", "--proxy", "http://p", "-r", "p", "--secret-file", "s", "x"},
       "the secret would go to localhost:9889 in clear: write https://localhost:9889, or use no "
       "secret"},
      {{"-H", "a", "--ping", "x"}, "a command cannot be run with --status or --ping"},
  };
  for (const Row& row : rows) {
    std::string error;
    assert_false(parse(row.words, &error).has_value());
    assert_text(error, row.explanation);
  }
}

void orders_are_read(void**) {
  const auto freeze = parse({"-H", "a", "-r", "p", "--freeze=why", "--for=2h"});
  assert_true(freeze && freeze->mode == Mode::freeze && freeze->freeze_for == seconds(7200));
  assert_text(freeze->reason, "why");
  assert_true(parse({"-H", "a", "-r", "p", "--freeze", "--for=90"})->freeze_for == seconds(90));
  const auto bare = parse({"-H", "a", "-r", "p*", "--freeze"});
  assert_true(bare && bare->mode == Mode::freeze && bare->reason.empty() && !bare->freeze_for);
  assert_true(parse({"-H", "a", "-r", "p", "--thaw"})->mode == Mode::thaw);
  const auto evict = parse({"-H", "a", "-r", "p", "--evict", "77", "--reason", "dead"});
  assert_true(evict && evict->mode == Mode::evict && evict->token == 77);
  const std::vector<std::vector<std::string>> wrong{
      {"-H", "a", "--thaw"},
      {"-H", "a", "-r", "p", "--thaw", "--freeze"},
      {"-H", "a", "-r", "p", "--thaw", "--for", "1d"},
      {"-H", "a", "-r", "p", "--thaw", "--reason", "x"},
      {"-H", "a", "-r", "p", "--freeze", "--for", "1w"},
      {"-H", "a", "-r", "p", "--freeze", "--for", "0"},
      {"-H", "a", "-r", "p", "--freeze", "--for", "99999d"},
      {"-H", "a", "-r", "p", "--evict", "0"},
      {"-H", "a", "-r", "p", "--freeze", "true"},
  };
  for (const auto& words : wrong) {
    assert_false(parse(words).has_value());
  }
}

void servers_are_read_as_people_write_them(void**) {
  struct Row {
    const char* text;
    const char* names;  // empty: refused
  };
  const std::vector<Row> rows = {
      {"lock1", "lock1:9889"},
      {"lock1:80, lock2", "lock1:80 lock2:9889"},
      {"::1", "[::1]:9889"},
      {"[fe80::1%eth0]:1,127.0.0.1:2", "[fe80::1%eth0]:1 127.0.0.1:2"},
      {"[::1]", "[::1]:9889"},
      {"", ""},
      {"a,,b", ""},
      {"a:", ""},
      {"a:0", ""},
      {"a:65536", ""},
      {"a:1x", ""},
      {"user@host", ""},
      {"host/path", ""},
      {"http://host", "host:9889"},
      {"https://host, HTTPS://a:1/", "https://host:9889 https://a:1"},
      {"https://[::1]:5", "https://[::1]:5"},
      {"https://", ""},
      {"https://a/b", ""},
      {"https://u@a", ""},
      {"https://https://a", ""},
      {"ftp://a", ""},
      {"[::1", ""},
      {"[::1]x", ""},
      {"ho st", ""},
      {"h#x", ""},
  };
  for (const Row& row : rows) {
    std::string error;
    std::string names;
    for (const Server& server :
         parse_servers(row.text, 9889, error).value_or(std::vector<Server>())) {
      names += (names.empty() ? "" : " ") + server.name();
    }
    distributex::test::check_text(names, row.names, row.text, 0);
    assert_true(error.empty() == !names.empty());
  }
}

void targets_are_encoded(void**) {
  assert_text(make_target("/get/", {{"host", "a b"}, {"id", ""}, {"pool", "x&y=z/ü+%"}}),
              "/get/?host=a%20b&pool=x%26y%3Dz%2F%C3%BC%2B%25");
  assert_text(make_target("/readyz", {}), "/readyz");
}

constexpr const char* status =
    R"({"version": "1.0", "backend": "inmemory", "uptime": 93784.5, "pools": [
  {"name": "one", "maxlocks": 2, "expire": 30, "servers": [], "holders": [
     {"host": "a", "id": "7", "token": 5, "since": 1000.0, "expires_in": 29.9},
     {"host": "longer.example.com", "token": 6, "since": 940.0}],
   "waiting": [{"host": "ü", "id": "\u001b[2J", "since": 1009.0}]},
  {"name": "idle", "maxlocks": 1, "expire": 0, "servers": [], "holders": [], "waiting": []}]})";

void the_status_is_a_table_for_people(void**) {
  assert_text(status_table(status, "lock:9889", 1010.0).value_or("none"),
              "lock:9889: distributexd 1.0, backend inmemory, up 1d 2h\n"
              "POOL  LOCKS  WHAT   HOST                ID    TOKEN  AGE     ENDS IN\n"
              "one   2/2    holds  a                   7     5      10s     29s\n"
              "one   2/2    holds  longer.example.com  -     6      1m 10s  never\n"
              "one   2/2    waits  ü                   ?[2J  -      1s      -\n"
              "idle  0/1    free   -                   -     -      -       -\n");
  assert_text(describe_pool(status, "one", 1010.0),
              "held by a (id 7) for 10s, longer.example.com for 1m 10s; 1 waiting");
  assert_text(describe_pool(status, "idle", 1010.0), "");
}

void what_is_no_status_is_not_shown_as_one(void**) {
  for (const char* body : {"", "INVALID", "[]", "{}", "{\"pools\": 1}", "{\"pools\": []"}) {
    assert_false(status_table(body, "s", 0).has_value());
    assert_false(status_json(body).has_value());
    assert_text(status_error(body), "");
    assert_text(describe_pool(body, "one", 0), "");
  }
  // A status with members of wrong types is shown without a crash.
  assert_true(
      status_table(R"({"pools": [1, {"name": 3, "holders": [null]}]})", "s", 0).has_value());
}

void a_localhost_name_tells_no_hosts_apart(void**) {
  struct Row {
    const char* full;
    const char* chosen;
  };
  for (const Row& row : {Row{"", "web7"},
                         {"web7", "web7"},
                         {"web7.example.com", "web7.example.com"},
                         {"localhost.localdomain", "web7"},
                         {"LOCALHOST.example.com", "web7"},
                         {"localhost6.localdomain6", "web7"},
                         {"web7.localhost", "web7"},
                         {"localhosting.example.com", "localhosting.example.com"}}) {
    assert_text(choose_host_name("web7", row.full), row.chosen);
  }
}

void only_a_second_order_to_end_well_apart_is_impatience(void**) {
  Patience patience;
  assert_false(patience.is_over_with(SIGTERM, start));
  assert_false(patience.is_over_with(SIGTERM, start + milliseconds(499)));
  assert_false(patience.is_over_with(SIGHUP, start + seconds(5)));
  assert_false(patience.is_over_with(SIGUSR1, start + seconds(5)));
  assert_true(patience.is_over_with(SIGINT, start + seconds(5)));
}

void ages_have_two_units_at_most(void**) {
  assert_text(age_text(0.4), "0s");
  assert_text(age_text(59.9), "59s");
  assert_text(age_text(75), "1m 15s");
  assert_text(age_text(3600), "1h 0m");
  assert_text(age_text(90061), "1d 1h");
}

}  // namespace
}  // namespace distributex::client

int main() {
  using namespace distributex::client;
  const CMUnitTest tests[] = {
      cmocka_unit_test(a_lease_counts_from_before_it_was_asked_for),
      cmocka_unit_test(every_lease_is_given_up_in_order),
      cmocka_unit_test(a_renewal_moves_all_of_it),
      cmocka_unit_test(a_failed_renewal_is_tried_again_soon_and_moves_no_deadline),
      cmocka_unit_test(a_lease_without_end_is_renewed_in_the_rhythm_asked_for),
      cmocka_unit_test(a_late_answer_is_not_fresh),
      cmocka_unit_test(pauses_grow_and_are_jittered),
      cmocka_unit_test(a_grant_has_token_and_end),
      cmocka_unit_test(the_originals_words_are_understood),
      cmocka_unit_test(only_the_last_of_several_answers_counts),
      cmocka_unit_test(numbers_are_read_whole_or_not_at_all),
      cmocka_unit_test(options_have_their_defaults),
      cmocka_unit_test(orders_are_read),
      cmocka_unit_test(long_forms_and_dashes_are_understood),
      cmocka_unit_test(wrong_usage_is_explained),
      cmocka_unit_test(servers_are_read_as_people_write_them),
      cmocka_unit_test(targets_are_encoded),
      cmocka_unit_test(the_status_is_a_table_for_people),
      cmocka_unit_test(what_is_no_status_is_not_shown_as_one),
      cmocka_unit_test(a_localhost_name_tells_no_hosts_apart),
      cmocka_unit_test(only_a_second_order_to_end_well_apart_is_impatience),
      cmocka_unit_test(ages_have_two_units_at_most),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
