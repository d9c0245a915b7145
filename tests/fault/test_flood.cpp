// SPDX-License-Identifier: MIT
// Floods: connections that pipeline all they can, and as many connects a second
// as the machine can make. Every question has its answer, in order; no grant is
// told twice; clients that contend meanwhile have a sound history.
#include <signal.h>
#include <stdlib.h>

#include <mutex>
#include <set>
#include <thread>

#include "support/crowd.h"
#include "support/daemon.h"
#include "support/http.h"
#include "support/metrics.h"
#include "support/rest.h"
#include "support/test.h"

namespace distributex::test {
namespace {

constexpr std::string_view pools = R"(audit: "on"
pools:
  - {name: mutex, expire: 3}
  - {name: flooded, expire: 600}
  - {name: four, expire: 600, maxlocks: 4}
)";

struct Fixture {
  Daemon daemon{pools};
  long at_rest = 0;

  bool begin() {
    if (!daemon.start()) {
      return false;
    }
    at_rest = daemon.open_files();
    return true;
  }
  bool finish() { return daemon.stop(); }
  uint16_t port() const { return daemon.port(); }
};

// What several threads were told. Threads note trouble here, for cmocka cannot assert in them.
struct Told {
  std::mutex lock{};
  std::set<long long> tokens{};
  std::string trouble{};

  void token(const Response& response) {
    const long long told = atoll(response.header("Distributex-Token").c_str());
    const std::lock_guard guard(lock);
    if (!tokens.insert(told).second) {
      trouble = "token " + std::to_string(told) + " twice";
    }
  }
  void wrong(std::string what) {
    const std::lock_guard guard(lock);
    trouble = std::move(what);
  }
};

std::string result_of(const std::optional<Response>& response) {
  return response ? response->header("Distributex-Result") : "nothing";
}

// --- pipelining ---------------------------------------------------------------

constexpr int pairs_at_once = 60;

// Many pairs of get and release in one go; then their answers, each in its place.
bool send_burst(Connection& connection, const std::string& host, Told& told) {
  std::string burst;
  for (int i = 0; i < pairs_at_once; i++) {
    burst += get_request("/get?pool=flooded&host=" + host) +
             get_request("/release?pool=flooded&host=" + host);
  }
  if (!connection.send(burst)) {
    return false;
  }
  for (int i = 0; i < pairs_at_once; i++) {
    const auto got = connection.response();
    const auto back = connection.response();
    const std::string answers = result_of(got) + " " + result_of(back);
    if (answers == "granted released") {
      told.token(*got);
    } else if (answers != "busy not-held") {
      told.wrong(host + ": " + answers);
      return false;
    }
  }
  return true;
}

// Checks the daemon's log: each grant comes when the lock was free.
void check_order(Daemon& daemon, const Told& told) {
  assert_true(!told.tokens.empty());
  const std::string last = "token=" + std::to_string(*told.tokens.rbegin()) + " held=";
  assert_true(daemon.wait_for_log(last).has_value());
  size_t seen = 0;
  bool taken = false;
  for (const std::string& line : daemon.log_lines("pool=flooded")) {
    const bool granted = line.find("event=granted") != std::string::npos;
    if (!granted && line.find("event=released") == std::string::npos) {
      continue;
    }
    assert_that(granted != taken, "out of turn: %s", line.c_str());
    taken = granted;
    seen += granted ? 1 : 0;
  }
  assert_int_equal(seen, told.tokens.size());
}

void answers_a_pipelined_flood_whole_and_in_order(void** state) {
  Fixture& f = fixture_of<Fixture>(state);
  Told told;
  constexpr int bursts = sanitized ? 3 : 15;
  std::vector<std::thread> floods;
  for (int i = 0; i < 16; i++) {
    floods.emplace_back([&f, &told, host = "h" + std::to_string(i)] {
      Connection connection(f.port());
      int left = bursts;
      while (left > 0 && send_burst(connection, host, told)) {
        left--;
      }
    });
  }
  for (std::thread& flood : floods) {
    flood.join();
  }
  assert_text(told.trouble, "");
  assert_that(told.tokens.size() > 100, "only %zu grants", told.tokens.size());
  assert_text(unrest(f.daemon, "mutex", 1, f.at_rest), "");
  assert_text(unrest(f.daemon, "four", 4, f.at_rest), "");
  check_order(f.daemon, told);
  assert_text(unrest(f.daemon, "flooded", 1, f.at_rest), "");
}

// --- connects -----------------------------------------------------------------

// By kind: a connection that sends nothing, or a part of a request, or a request, or takes a
// lock and gives it back; the ways in which it ends differ, too.
void connect_once(uint16_t port, int kind, const std::string& who, Told& told) {
  Connection connection(port);
  if (!connection.connected()) {
    return told.wrong("not connected");
  }
  switch (kind) {
    case 0:
      return connection.close();
    case 1:
      connection.send("GET /get?pool=four&host=" + who);
      return connection.reset();
    case 2:
      if (word(connection, "/livez") != "ok\n") {
        told.wrong("/livez does not answer");
      }
      return connection.reset();
    default:
      const auto got = fetch(connection, "/get?pool=four&host=" + who);
      const auto back = fetch(connection, "/release?pool=four&host=" + who);
      if (result_of(got) + " " + result_of(back) != "granted released") {
        return told.wrong(result_of(got) + " " + result_of(back));
      }
      told.token(got);
      return connection.reset();
  }
}

void bears_ten_thousand_connects_without_a_pause(void** state) {
  Fixture& f = fixture_of<Fixture>(state);
  constexpr int each = sanitized ? 500 : 2500;
  Told told;
  Crowd crowd({.pool = "mutex", .clients = 8, .patient = false}, std::vector{f.port()});
  crowd.history().slots("mutex", 1);
  const Clock::time_point begin = Clock::now();
  std::vector<std::thread> storm;
  for (int i = 0; i < 4; i++) {
    storm.emplace_back([&f, &told, who = "h" + std::to_string(i)] {
      for (int n = 0; n < each; n++) {
        connect_once(f.port(), n % 4, who, told);
      }
    });
  }
  for (std::thread& one : storm) {
    one.join();
  }
  const std::chrono::duration<double> took = Clock::now() - begin;
  print_message("%.0f connects a second\n", 4 * each / took.count());
  assert_true(crowd.goes_on(10));
  crowd.stop();
  assert_text(told.trouble, "");
  assert_int_equal(told.tokens.size(), each);
  assert_text(crowd.history().verdict(), "");
  assert_text(unrest(f.daemon, "four", 4, f.at_rest), "");
  assert_text(unrest(f.daemon, "mutex", 1, f.at_rest), "");
}

// All at once and none accepted yet: the kernel's line holds them.
void serves_a_thousand_connects_of_one_moment(void** state) {
  Fixture& f = fixture_of<Fixture>(state);
  constexpr int count = 800;
  f.daemon.send_signal(SIGSTOP);
  std::vector<Connection> all;
  for (int i = 0; i < count; i++) {
    all.emplace_back(f.port());
    assert_true(all.back().connected());
    const std::string who = "pool=flooded&host=h" + std::to_string(i);
    assert_true(all.back().send(get_request("/get?" + who) + get_request("/release?" + who)));
  }
  f.daemon.send_signal(SIGCONT);
  Told told;
  for (Connection& one : all) {
    const auto got = one.response();
    assert_text(result_of(got) + " " + result_of(one.response()),
                result_of(got) == "granted" ? "granted released" : "busy not-held");
    if (result_of(got) == "granted") {
      told.token(*got);
    }
  }
  assert_text(told.trouble, "");
  all.clear();
  check_order(f.daemon, told);
  assert_text(unrest(f.daemon, "flooded", 1, f.at_rest), "");
}

}  // namespace
}  // namespace distributex::test

int main() {
  using namespace distributex::test;
  const CMUnitTest tests[] = {
      test_with(Fixture, answers_a_pipelined_flood_whole_and_in_order),
      test_with(Fixture, bears_ten_thousand_connects_without_a_pause),
      test_with(Fixture, serves_a_thousand_connects_of_one_moment),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
