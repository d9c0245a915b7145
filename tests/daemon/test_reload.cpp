// SPDX-License-Identifier: MIT
// What a reload changes and what it cannot: each option that a restart would
// change is named, compared with what runs.
#include "daemon/reload.h"
#include "support/test.h"

namespace distributex::test {
namespace {

constexpr std::string_view pools = "\npools: [{name: a}]\n";

struct Fixture {
  std::string said;
  Settings runs;
  ListenArguments arguments;

  static Settings settings(std::string_view text) {
    auto parsed = parse_settings(std::string(text).append(pools), "f");
    if (const auto* error = std::get_if<std::string>(&parsed)) {
      fail_msg("%s", error->c_str());
    }
    return std::get<Settings>(std::move(parsed));
  }
  void start(std::string_view text) { runs = settings(text); }
  // Reloads that text; returns the warnings about options that need a restart.
  const std::string& reload(std::string_view text) {
    Settings loaded = settings(text);
    said = needs_restart(runs, loaded, arguments);
    runs = reloaded(runs, std::move(loaded));
    return said;
  }
  const std::string& reload_inherited(std::string_view text) {
    said = needs_restart(runs, settings(text), std::nullopt);
    return said;
  }
};

Fixture& of(void** state) { return fixture_of<Fixture>(state); }

void names_each_option_that_only_a_restart_changes(void** state) {
  Fixture& f = of(state);
  f.start("backend: memcache");
  struct Row {
    std::string_view file;
    const char* said;
  };
  constexpr Row rows[] = {
      {"backend: inmemory", "backend from \"memcache\" to \"inmemory\""},
      {"backend: memcache\nmemcachehost: m", "memcachehost from \"localhost\" to \"m\""},
      {"backend: memcache\nmemcacheport: 7", "memcacheport from \"11211\" to \"7\""},
      {"backend: memcache\nmemcacheprefix: 'x:'", "memcacheprefix from \"distributex:\" to \"x:\""},
      {"backend: memcache\nmemcachetimeout: 300", "memcachetimeout from \"2000\" to \"300\""},
      {"backend: memcache\npoll: 200", "poll from \"100\" to \"200\""},
      {"backend: memcache\nlisten: ['127.0.0.1:1', '*:2']",
       "listen from \"*:9889\" to \"127.0.0.1:1, *:2\""},
  };
  for (const Row& row : rows) {
    assert_text(f.reload(row.file), std::string("only a restart changes ") + row.said);
  }
  assert_text(f.reload("listen: unix:/x\npoll: 10"),
              "only a restart changes backend from \"memcache\" to \"inmemory\", poll from "
              "\"100\" to \"10\", listen from \"*:9889\" to \"unix:/x\"");
}

void says_it_at_each_reload_until_the_file_is_what_runs(void** state) {
  Fixture& f = of(state);
  f.start("listen: '*:1'");
  const std::string wanted = "only a restart changes listen from \"*:1\" to \"*:2\"";
  assert_text(f.reload("listen: '*:2'"), wanted);
  assert_text(f.reload("listen: '*:2'"), wanted);
  assert_text(f.reload("listen: '*:1'"), "");
}

void is_silent_on_what_a_reload_changes(void** state) {
  Fixture& f = of(state);
  f.start("");
  assert_text(f.reload("max_connections: 7\nmax_waiting: 8\nidle_timeout: 9\nevents: 10\n"
                       "audit: off\nmax_header_size: 2000\nmax_body_size: 1"),
              "");
  assert_int_equal(f.runs.http.max_connections, 7);
  assert_int_equal(f.runs.service.max_waiting, 8);
  assert_true(f.runs.http.idle_timeout == std::chrono::seconds{9});
  assert_int_equal(f.runs.record.events, 10);
  assert_false(f.runs.record.audit);
}

void options_of_another_backend_do_not_count(void** state) {
  Fixture& f = of(state);
  f.start("backend: inmemory");
  assert_text(f.reload("memcachehost: elsewhere\npoll: 77"), "");
}

void the_command_line_goes_before_listen(void** state) {
  Fixture& f = of(state);
  f.start("listen: '*:1'");
  f.arguments.addresses = {"127.0.0.1"};
  assert_text(f.reload("listen: '*:2'"), "");
  f.arguments = {.addresses = {}, .port = 5};
  assert_text(f.reload("listen: '*:3'"), "");  // -p 5 overrides the port of the file
  assert_text(f.reload("listen: 127.0.0.1:3"),
              "only a restart changes listen from \"*:5\" to \"127.0.0.1:5\"");
}

void inherited_sockets_go_before_listen(void** state) {
  Fixture& f = of(state);
  f.start("listen: '*:1'");
  assert_text(f.reload_inherited("listen: '*:2'"), "");
}

void what_runs_stays_until_a_restart(void** state) {
  Fixture& f = of(state);
  f.start("backend: inmemory\nlisten: '*:1'");
  (void)f.reload("backend: memcache\nlisten: '*:2'\nmax_waiting: 3");
  assert_text(f.runs.service.backend, "inmemory");
  assert_text(f.runs.service.listen.at(0), "*:1");
  assert_int_equal(f.runs.service.max_waiting, 3);
  assert_text(f.runs.service.pools.at(0).name, "a");
}

}  // namespace
}  // namespace distributex::test

int main() {
  using namespace distributex::test;
  const CMUnitTest tests[] = {
      test_with(Fixture, names_each_option_that_only_a_restart_changes),
      test_with(Fixture, says_it_at_each_reload_until_the_file_is_what_runs),
      test_with(Fixture, is_silent_on_what_a_reload_changes),
      test_with(Fixture, options_of_another_backend_do_not_count),
      test_with(Fixture, the_command_line_goes_before_listen),
      test_with(Fixture, inherited_sockets_go_before_listen),
      test_with(Fixture, what_runs_stays_until_a_restart),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
