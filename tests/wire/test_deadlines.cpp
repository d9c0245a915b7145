// SPDX-License-Identifier: MIT
// Which deadline a connection stands under after an answer, and that what the
// limits allow is read whole. A deadline that does not hold leaves the
// connection open for as long as the test waits, many times its length.
#include "support/daemon.h"
#include "support/http.h"
#include "support/status.h"
#include "support/test.h"

namespace distributex::test {
namespace {

using Seconds = std::chrono::duration<double>;

constexpr std::string_view idle_short = R"(request_timeout: 1000
idle_timeout: 1
pools:
  - name: one
)";

constexpr std::string_view request_short = R"(request_timeout: 1
idle_timeout: 1000
pools:
  - name: one
)";

constexpr std::string_view large = R"(request_timeout: 10
idle_timeout: 1000
max_header_size: 65536
max_body_size: 65536
pools:
  - name: one
)";

struct Fixture {
  explicit Fixture(std::string_view config) : daemon(config) {}
  Daemon daemon;

  bool begin() { return daemon.start() && word(daemon.port(), "/get?pool=one&host=h") == "YES"; }
  bool finish() { return daemon.stop(); }
  uint16_t port() const { return daemon.port(); }
};

struct IdleShort : Fixture {
  IdleShort() : Fixture(idle_short) {}
};
struct RequestShort : Fixture {
  RequestShort() : Fixture(request_short) {}
};
struct Large : Fixture {
  Large() : Fixture(large) {}
};

// Nothing else happens at the server meanwhile: no connection comes, no deadline is due.
void idle_timeout_holds_after_a_parked_answer_on_a_quiet_server(void** state) {
  Fixture& f = fixture_of<IdleShort>(state);
  Connection waiter(f.port());
  assert_true(waiter.send(get_request("/wait?pool=one&host=w&timeout=1.5")));
  assert_text(waiter.response().value_or(Response{}).body, "NO");
  assert_int_equal(waiter.wait_end(std::chrono::seconds(15)), End::eof);
}

void request_timeout_holds_for_half_a_request_behind_a_whole_one(void** state) {
  Fixture& f = fixture_of<RequestShort>(state);
  Connection client(f.port());
  assert_true(client.send(get_request("/livez") + "GET /livez HT"));
  assert_text(client.response().value_or(Response{}).body, "ok\n");
  assert_true(client.wait_end(std::chrono::seconds(15)) != End::none);
}

void reads_what_the_limits_allow(void** state) {
  Fixture& f = fixture_of<Large>(state);
  const std::string filling(60000, 'x');
  Connection client(f.port());
  assert_true(client.send(get_request("/get?pool=one&host=h&x=" + filling)));
  assert_text(client.response().value_or(Response{}).body, "YES");
  assert_true(client.send(post_request("/release", "pool=one&host=h&x=" + filling)));
  assert_text(client.response().value_or(Response{}).body, "OK");
}

}  // namespace
}  // namespace distributex::test

int main() {
  using namespace distributex::test;
  const CMUnitTest tests[] = {
      test_with(IdleShort, idle_timeout_holds_after_a_parked_answer_on_a_quiet_server),
      test_with(RequestShort, request_timeout_holds_for_half_a_request_behind_a_whole_one),
      test_with(Large, reads_what_the_limits_allow),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
