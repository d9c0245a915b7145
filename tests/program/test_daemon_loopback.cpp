// SPDX-License-Identifier: MIT
// The loopback addresses of the sample configuration, with IPv6 and without, in a
// network of this program's own: its ports are the real ones, and its IPv6 can be
// switched off.
#include <sched.h>
#include <stdlib.h>
#include <sysexits.h>

#include <fstream>

#include "support/daemon.h"
#include "support/http.h"
#include "support/namespace.h"
#include "support/test.h"

namespace distributex::test {
namespace {

std::string no_namespace;

struct Fixture {
  Daemon daemon{"listen: [\"[::1]:0\"]\npools:\n  - name: one\n"};
  bool finish() { return daemon.stop(); }
};

// Skips the test where IPv6 cannot be switched: /proc/sys is often read-only.
void switch_ipv6(bool on) {
  if (!no_namespace.empty()) {
    print_message("skipped: no network namespace (%s)\n", no_namespace.c_str());
    skip();
  }
  std::ofstream knob("/proc/sys/net/ipv6/conf/lo/disable_ipv6");
  knob << (on ? "0" : "1") << std::flush;
  if (!knob) {
    print_message("skipped: IPv6 cannot be switched on and off here\n");
    skip();
  }
}

bool answers(std::string_view address) {
  Connection line(address);
  return word(line, "/livez") == "ok\n";
}

void start_with_sample(Daemon& daemon) {
  const std::string sample = std::string(getenv("TOP")) + "/etc/distributex.yaml";
  assert_true(daemon.start({.args = {"-c", sample}, .with_config = false}));
}

void the_sample_serves_both_loopback_addresses(void** state) {
  Fixture& f = fixture_of<Fixture>(state);
  switch_ipv6(true);
  start_with_sample(f.daemon);
  assert_true(answers("127.0.0.1:9889"));
  assert_true(answers("[::1]:9889"));
  assert_true(f.daemon.log_lines("left out").empty());
}

void the_sample_serves_without_ipv6_and_say_so(void** state) {
  Fixture& f = fixture_of<Fixture>(state);
  switch_ipv6(false);
  start_with_sample(f.daemon);
  assert_true(answers("127.0.0.1:9889"));
  assert_int_equal(f.daemon.addresses().size(), 1);
  assert_int_equal(f.daemon.log_lines("left out address=[::1]:9889").size(), 1);
}

void no_address_at_all_is_an_error(void** state) {
  Fixture& f = fixture_of<Fixture>(state);
  switch_ipv6(false);
  f.daemon.spawn({.args = {}});
  assert_int_equal(f.daemon.wait_exit().value_or(-1), EX_OSERR);
  assert_int_equal(f.daemon.log_lines("this machine has no IPv6, and no other").size(), 1);
}

void a_taken_loopback_address_is_an_error_still(void** state) {
  Fixture& f = fixture_of<Fixture>(state);
  switch_ipv6(true);
  assert_true(f.daemon.start({.args = {}}));
  Daemon other("pools:\n  - name: one\n");
  other.spawn({.args = {"-l", "127.0.0.1:0", "-l", f.daemon.addresses().at(0)}});
  assert_int_equal(other.wait_exit().value_or(-1), EX_OSERR);
  assert_int_equal(other.log_lines("Address already in use").size(), 1);
}

}  // namespace
}  // namespace distributex::test

int main() {
  using namespace distributex::test;
  no_namespace = enter_namespaces(CLONE_NEWNET);
  const CMUnitTest tests[] = {
      test_with(Fixture, the_sample_serves_both_loopback_addresses),
      test_with(Fixture, the_sample_serves_without_ipv6_and_say_so),
      test_with(Fixture, no_address_at_all_is_an_error),
      test_with(Fixture, a_taken_loopback_address_is_an_error_still),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
