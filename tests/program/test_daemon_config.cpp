// SPDX-License-Identifier: MIT
// Starting distributexd: its command line, its exit codes, and what it says
// when it does not start. Listeners are in test_daemon_listen.cpp, reading the
// configuration again in test_daemon_reload.cpp.
#include <sys/socket.h>
#include <sysexits.h>
#include <unistd.h>

#include "support/daemon.h"
#include "support/http.h"
#include "support/status.h"
#include "support/test.h"

namespace distributex::test {
namespace {

constexpr std::string_view good = "pools:\n  - name: one\n";

struct Fixture {
  Daemon daemon{good};
  Daemon other{good};

  bool finish() { return daemon.stop() && other.stop(); }

  int exit_code(const Launch& launch) {
    daemon.spawn(launch);
    return daemon.wait_exit().value_or(-1);
  }
  std::string log() {
    std::string all;
    for (const std::string& line : daemon.log_lines()) {
      all += line + "\n";
    }
    return all;
  }
};

bool has(std::string_view text, std::string_view part) { return text.find(part) != text.npos; }

void exits_78_naming_the_place_of_an_error(void** state) {
  Fixture& f = fixture_of<Fixture>(state);
  struct Row {
    const char* yaml;
    const char* place;
  };
  const Row rows[] = {
      {"pools:\n  - name: one\n    maxlock: 2\n", ":3:5: "},
      {"pools:\n  - name: one\n    maxlocks: many\n", ":3:15: "},
      {"pools:\n  - name: one\n  - name: one\n", ":3:"},
      {"backend: punchcards\npools:\n  - name: one\n", ":1:10: "},
      {"pools: [\n", ":"},
  };
  for (const Row& row : rows) {
    f.daemon.configure(row.yaml);
    for (const char* also : {"-v", "-t"}) {
      assert_int_equal(f.exit_code({.args = {"-l", "127.0.0.1:0", also}}), EX_CONFIG);
      const std::string log = f.log();
      assert_that(has(log, f.daemon.config_path() + row.place), "no %s in %s", row.place,
                  log.c_str());
      assert_false(has(log, "listening"));
      assert_text(f.daemon.output(), "");
    }
  }
}

void exits_78_without_a_readable_configuration(void** state) {
  Fixture& f = fixture_of<Fixture>(state);
  const std::string missing = f.daemon.dir().file("nosuch.yaml");
  assert_int_equal(f.exit_code({.args = {"-c", missing}}), EX_CONFIG);
  assert_true(has(f.log(), missing));
  assert_int_equal(f.exit_code({.args = {"-c", f.daemon.dir().path()}}), EX_CONFIG);
}

void checks_a_good_configuration_and_exits(void** state) {
  Fixture& f = fixture_of<Fixture>(state);
  assert_int_equal(f.exit_code({.args = {"-t"}}), 0);
  assert_false(has(f.log(), "listening"));
}

void exits_64_on_wrong_usage(void** state) {
  Fixture& f = fixture_of<Fixture>(state);
  const std::vector<std::string> rows[] = {
      {"-x"},        {"--nosuch"}, {"extra"}, {"-p", "many"},  {"-p", "65536"}, {"-p", "-1"},
      {"-p", "80x"}, {"-p", ""},   {"-p"},    {"-t", "extra"}, {"-c"},          {"--version=1"},
  };
  for (const std::vector<std::string>& row : rows) {
    const int code = f.exit_code({.args = row});
    assert_that(code == EX_USAGE, "%s: exit %d", row[0].c_str(), code);
    assert_false(f.log().empty());
  }
}

// As when a shell has expanded a variable that is not set.
void starts_no_server_for_a_store_without_a_name(void** state) {
  Fixture& f = fixture_of<Fixture>(state);
  for (const std::vector<std::string>& row :
       {std::vector<std::string>{"-S", ""}, {"--store-check="}, {"-j", "-S", ""}}) {
    assert_int_equal(f.exit_code({.args = row}), EX_USAGE);
    assert_true(has(f.log(), "--store-check wants a file, not \"\"\n"));
  }
}

void holds_addresses_of_the_command_line_to_the_rules_of_the_file(void** state) {
  Fixture& f = fixture_of<Fixture>(state);
  struct Row {
    const char* address;
    const char* complaint;
  };
  const Row rows[] = {
      {"", "\"\" has no address"},
      {":1", "\":1\" has no address"},
      {"tls:", "\"tls:\" has no address"},
      {"[::1", "\"[::1\" has no IPv6 address in its brackets"},
      {"[127.0.0.1]", "\"[127.0.0.1]\" has no IPv6 address in its brackets"},
      {"::1:1", "\"::1:1\" is no IPv4 address (IPv6 needs [ ] around it)"},
      {"localhost:", "\"localhost:\" has no port from 0 to 65535 at its end"},
      {"127.0.0.1:x", "\"127.0.0.1:x\" has no port from 0 to 65535 at its end"},
      {"127.1", "\"127.1\" is neither a numeric address, like 127.0.0.1, nor a name"},
      {"a b:1", "\"a b:1\" is neither a numeric address, like 127.0.0.1, nor a name"},
      {"unix:relative", "\"unix:relative\" is not an absolute path"},
      {"unix:/folder/", "\"unix:/folder/\" is a folder, not a socket"},
      {"tls:unix:/a", "\"tls:unix:/a\" has tls: before a unix socket, which needs none"},
  };
  for (const Row& row : rows) {
    for (const char* also : {"-v", "-t"}) {
      const int code = f.exit_code({.args = {"-l", row.address, also}});
      assert_that(code == EX_USAGE, "-l \"%s\": exit %d", row.address, code);
      const std::string log = f.log();
      assert_that(log.starts_with("distributexd: listen: " + std::string(row.complaint) + "\n"),
                  "no %s in %s", row.complaint, log.c_str());
    }
  }
}

void listens_at_a_name_of_the_command_line(void** state) {
  Fixture& f = fixture_of<Fixture>(state);
  for (const char* address : {"[::1]", "*", "*:0", "localhost.", "127.0.0.1", "unix:/a:b]"}) {
    assert_int_equal(f.exit_code({.args = {"-l", address, "-t"}}), 0);
  }
  assert_true(f.daemon.start({.args = {"-l", "localhost:0"}}));
  assert_false(f.daemon.addresses().empty());
}

void prints_version_and_help_to_stdout(void** state) {
  Fixture& f = fixture_of<Fixture>(state);
  for (const char* option : {"-V", "--version"}) {
    assert_int_equal(f.exit_code({.args = {option}, .with_config = false}), 0);
    assert_true(has(f.daemon.output(), "distributexd "));
    assert_text(f.log(), "");
  }
  for (const char* option : {"-h", "--help"}) {
    assert_int_equal(f.exit_code({.args = {option}, .with_config = false}), 0);
    for (const char* known :
         {"-c", "-p", "-l", "-d", "-P", "-u", "-t", "-v", "-V", "-h", "--help", "--version"}) {
      assert_that(has(f.daemon.output(), known), "no %s in the help", known);
    }
  }
}

void exits_71_naming_the_port_that_is_taken(void** state) {
  Fixture& f = fixture_of<Fixture>(state);
  assert_true(f.other.start());
  const std::string taken = "127.0.0.1:" + std::to_string(f.other.port());
  assert_int_equal(f.exit_code({.args = {"-l", taken}}), EX_OSERR);
  assert_that(has(f.log(), taken), "%s is not in %s", taken.c_str(), f.log().c_str());
  assert_false(has(f.log(), "ready pools"));
  assert_int_equal(f.exit_code({.args = {"-l", "127.0.0.1:0", "-l", taken}}), EX_OSERR);
  assert_int_equal(f.exit_code({.args = {"-l", taken, "-d"}}), EX_OSERR);
  assert_text(word(f.other.port(), "/livez"), "ok\n");
}

void exits_71_on_an_address_of_another_machine(void** state) {
  Fixture& f = fixture_of<Fixture>(state);
  assert_int_equal(f.exit_code({.args = {"-l", "192.0.2.1:0"}}), EX_OSERR);
  assert_true(has(f.log(), "192.0.2.1"));
}

void lets_p_override_the_port_of_the_configuration(void** state) {
  Fixture& f = fixture_of<Fixture>(state);
  f.daemon.configure("listen: 127.0.0.1:1\npools:\n  - name: one\n");
  assert_true(f.daemon.start({.args = {"-p", "0"}}));
  assert_int_equal(f.daemon.addresses().size(), 1);
  assert_true(f.daemon.port() > 1);
  assert_text(word(f.daemon.port(), "/get?pool=one&host=a"), "YES");
  const std::string port = std::to_string(f.daemon.port());
  assert_true(f.daemon.stop());
  assert_true(f.daemon.start({.args = {"-p", port}}));
  assert_text(std::to_string(f.daemon.port()), port);
}

void takes_an_address_without_its_port(void** state) {
  Fixture& f = fixture_of<Fixture>(state);
  assert_true(f.daemon.start({.args = {"-l", "127.0.0.1", "-p", "0"}}));
  assert_int_equal(f.daemon.addresses().size(), 1);
  assert_text(f.daemon.addresses()[0].substr(0, 10), "127.0.0.1:");
  assert_text(word(f.daemon.port(), "/livez"), "ok\n");
}

void starts_with_every_option_of_the_configuration(void** state) {
  Fixture& f = fixture_of<Fixture>(state);
  f.daemon.configure(R"(# everything
backend: inmemory
memcachehost: localhost
memcacheport: 11211
listen: ["127.0.0.1:0"]
max_connections: 100
max_waiting: 10
request_timeout: 5
idle_timeout: 5
max_header_size: 4096
max_body_size: 4096
pools:
  - {name: one, expire: 10, maxlocks: 2, servers: [a, b]}
  - name: two
    servers: "a, b"
)");
  assert_true(f.daemon.start({.args = {}}));
  assert_text(word(f.daemon.port(), "/get?pool=two&host=b"), "YES");
  assert_text(word(f.daemon.port(), "/get?pool=two&host=c"), "INVALID");
}

void serves_as_another_user_where_told(void** state) {
  Fixture& f = fixture_of<Fixture>(state);
  if (geteuid() != 0) {
    skip();
  }
  assert_true(f.daemon.start({.args = {"-l", "127.0.0.1:0", "-u", "nobody"}}));
  const std::string status = read_whole_file("/proc/" + std::to_string(f.daemon.pid()) + "/status");
  assert_false(has(status, "\nUid:\t0"));
  assert_false(has(status, "\nGid:\t0"));
  assert_true(has(status, "CapEff:\t0000000000000000"));
  assert_text(word(f.daemon.port(), "/get?pool=one&host=a"), "YES");
  assert_true(f.daemon.stop());
  assert_true(f.exit_code({.args = {"-l", "127.0.0.1:0", "-u", "nosuchuser"}}) > 0);
  assert_true(has(f.log(), "nosuchuser"));
}

void starts_with_few_descriptors(void** state) {
  Fixture& f = fixture_of<Fixture>(state);
  assert_true(f.daemon.start({.max_files = 64}));
  std::vector<Connection> crowd;
  for (int i = 0; i < 200; ++i) {
    crowd.emplace_back(f.daemon.port());
  }
  crowd.clear();
  assert_true(eventually([&] { return word(f.daemon.port(), "/livez") == "ok\n"; }));
}

}  // namespace
}  // namespace distributex::test

int main() {
  using namespace distributex::test;
  const CMUnitTest tests[] = {
      test_with(Fixture, exits_78_naming_the_place_of_an_error),
      test_with(Fixture, exits_78_without_a_readable_configuration),
      test_with(Fixture, checks_a_good_configuration_and_exits),
      test_with(Fixture, exits_64_on_wrong_usage),
      test_with(Fixture, starts_no_server_for_a_store_without_a_name),
      test_with(Fixture, holds_addresses_of_the_command_line_to_the_rules_of_the_file),
      test_with(Fixture, listens_at_a_name_of_the_command_line),
      test_with(Fixture, prints_version_and_help_to_stdout),
      test_with(Fixture, exits_71_naming_the_port_that_is_taken),
      test_with(Fixture, exits_71_on_an_address_of_another_machine),
      test_with(Fixture, lets_p_override_the_port_of_the_configuration),
      test_with(Fixture, takes_an_address_without_its_port),
      test_with(Fixture, starts_with_every_option_of_the_configuration),
      test_with(Fixture, serves_as_another_user_where_told),
      test_with(Fixture, starts_with_few_descriptors),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
