// SPDX-License-Identifier: MIT
// The wall clock of a running daemon steps, by libfaketime: leases and waits do
// not feel it, tokens rise over it, and daemons that share a memcached need not
// agree on the time of day. The monotonic clock stays the real one.
#include <glob.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include <cmath>

#include "support/crowd.h"
#include "support/daemon.h"
#include "support/http.h"
#include "support/memcached.h"
#include "support/rest.h"
#include "support/status.h"
#include "support/test.h"

namespace distributex::test {
namespace {

using Seconds = std::chrono::duration<double>;

constexpr std::string_view pools = R"(pools:
  - {name: mutex, expire: 3}
  - {name: sem, expire: 600, maxlocks: 3}
)";
constexpr long day = 86400;

std::string find_library() {
  glob_t found{};
  std::string path;
  if (glob("/usr/lib/*/faketime/libfaketimeMT.so.1", 0, nullptr, &found) == 0) {
    path = found.gl_pathv[0];
  }
  globfree(&found);
  return path;
}

// A daemon whose wall clock is a number of seconds ahead of the real one.
struct Clocked {
  Daemon daemon;
  TempDir dir{};

  explicit Clocked(std::string_view yaml) : daemon(yaml) { set(0); }

  void set(long ahead) const {
    write_file(dir.file("new"), (ahead < 0 ? "" : "+") + std::to_string(ahead));
    assert_int_equal(rename(dir.file("new").c_str(), dir.file("clock").c_str()), 0);
  }
  Launch launch(std::string listen = "127.0.0.1:0") const {
    return {
        .args = {"-l", std::move(listen)},
        .environment = {"LD_PRELOAD=" + find_library(),
                        "FAKETIME_TIMESTAMP_FILE=" + dir.file("clock"), "FAKETIME_NO_CACHE=1",
                        "FAKETIME_DONT_FAKE_MONOTONIC=1", "ASAN_OPTIONS=verify_asan_link_order=0"}};
  }
  [[nodiscard]] bool start() { return daemon.start(launch()); }
  // libfaketime removes its shared memory only when the process ends in order.
  void kill_now() {
    const std::string pid = std::to_string(daemon.pid());
    daemon.kill_now();
    unlink(("/dev/shm/faketime_shm_" + pid).c_str());
    unlink(("/dev/shm/sem.faketime_sem_" + pid).c_str());
  }
  [[nodiscard]] bool restart() {
    return daemon.start(launch("127.0.0.1:" + std::to_string(daemon.port())));
  }
  // How many seconds the daemon's wall clock is ahead of this process's.
  [[nodiscard]] double ahead() const {
    const Json status = parse_json(fetch(daemon.port(), "/status/").body);
    return json_number_at(status.get(), "time").value_or(0) - static_cast<double>(time(nullptr));
  }
  void step(long to) const {
    set(to);
    assert_true(eventually([&] { return std::abs(ahead() - static_cast<double>(to)) < 5; }));
  }
};

// To be called before a test has made anything, for skip() runs no destructor.
void skip_without_library() {
  if (!find_library().empty()) {
    return;
  }
  print_message("skipped: libfaketime is not installed, so no clock can step\n");
  skip();
}

struct Fixture {
  Memcached memcached{};
  std::vector<std::unique_ptr<Clocked>> daemons{};
  std::unique_ptr<Crowd> crowd{};

  bool finish() {
    crowd.reset();
    bool well = true;
    for (const auto& one : daemons) {
      well = one->daemon.stop() && well;
    }
    return well;
  }
  Clocked& add(std::string_view yaml, long ahead = 0) {
    daemons.push_back(std::make_unique<Clocked>(yaml));
    daemons.back()->set(ahead);
    assert_true(daemons.back()->start());
    return *daemons.back();
  }
};

Seconds expires_in(const Response& response) {
  return Seconds{strtod(response.header("Distributex-Expires").c_str(), nullptr)};
}

// What runs at one daemon during a step: a lease of a second, a waiter for its end, and a
// wait with a timeout of 1.2 seconds.
struct Waits {
  // Each step has hosts of its own, for a host that waited before would have its old place.
  Waits(const Clocked& d, long to)
      : port(d.daemon.port()), next(port), brief(port), other("c" + std::to_string(to)) {}

  void begin() {
    asked = Clock::now();
    granted = fetch(port, "/get?pool=mutex&host=a&expire=1");
    assert_text(granted.body, "YES");
    assert_true(next.send(get_request("/wait?pool=mutex&host=b")));
    assert_true(wait_for_waiting(port, "mutex", 1));
    waited = Clock::now();
    assert_true(brief.send(get_request("/wait?pool=mutex&timeout=1.2&host=" + other)));
  }
  void end() {
    assert_text(next.response()->body, "YES");
    lease_took = Clock::now() - asked;
    assert_text(brief.response()->body, "NO");
    wait_took = Clock::now() - waited;
    assert_text(word(port, "/release?pool=mutex&host=b"), "OK");
  }

  uint16_t port;
  Connection next;
  Connection brief;
  std::string other;
  Clock::time_point asked{};
  Clock::time_point waited{};
  Response granted{};
  Seconds lease_took{};
  Seconds wait_took{};
};

void check_took(const char* what, Seconds took, Seconds least, Seconds control) {
  assert_that(took >= least && took < control + Seconds{1}, "%s took %f s, %f s without a step",
              what, took.count(), control.count());
}

// The clock of the first daemon steps. The second daemon is the control: it shows how late
// this machine is in the same moments.
void check_step(const Clocked& d, const Clocked& control, long to) {
  Waits stepped(d, to);
  Waits calm(control, to);
  stepped.begin();
  calm.begin();
  d.step(to);
  stepped.end();
  calm.end();
  check_took("the lease", stepped.lease_took, Seconds{1}, calm.lease_took);
  check_took("the wait", stepped.wait_took, Seconds{1.2}, calm.wait_took);
}

// A step does not change the time left that a holder is told.
void check_held(const Clocked& d, long to) {
  const Response granted = fetch(d.daemon.port(), "/get?pool=mutex&host=a&expire=60");
  d.step(to);
  const Response held = fetch(d.daemon.port(), "/get?pool=mutex&host=a");
  assert_text(held.header("Distributex-Token"), granted.header("Distributex-Token"));
  assert_true(expires_in(held) > Seconds{0} && expires_in(held) <= Seconds{60});
  assert_text(word(d.daemon.port(), "/release?pool=mutex&host=a"), "OK");
}

void leases_and_waits_do_not_feel_a_step(void** state) {
  skip_without_library();
  const Clocked& d = fixture_of<Fixture>(state).add(pools);
  const Clocked& control = fixture_of<Fixture>(state).add(pools);
  const long at_rest = d.daemon.open_files();
  check_step(d, control, 400 * day);
  check_step(d, control, -400 * day);
  check_held(d, 400 * day);
  assert_text(unrest(d.daemon, "mutex", 1, at_rest), "");
}

long long next_token(const Clocked& d, int number) {
  const std::string who = "pool=sem&host=h" + std::to_string(number);
  const long long token =
      atoll(fetch(d.daemon.port(), "/get?" + who).header("Distributex-Token").c_str());
  assert_text(word(d.daemon.port(), "/release?" + who), "OK");
  return token;
}

void tokens_rise_over_steps_and_over_a_restart(void** state) {
  skip_without_library();
  Clocked& d = fixture_of<Fixture>(state).add(pools);
  long long last = 0;
  for (const long ahead : {0L, -9000 * day, 9000 * day, -9000 * day, 1L}) {
    d.step(ahead);
    for (int i = 0; i < 3; i++) {
      const long long token = next_token(d, i);
      assert_that(token > last && token < (1LL << 53), "token %lld after %lld", token, last);
      last = token;
    }
  }
  d.kill_now();
  assert_true(d.restart());
  const long long token = next_token(d, 0);
  assert_that(token > last, "token %lld after %lld", token, last);
}

// If the freeze followed the wall clock, a step of a day would end it at once or keep it for
// a day.
void a_freeze_for_a_time_does_not_feel_a_step(void** state) {
  skip_without_library();
  Fixture& f = fixture_of<Fixture>(state);
  const TempDir disk;
  const std::string sqlite = "backend: sqlite\nsqlitefile: " + disk.file("l.db") + "\n";
  for (const std::string& backend : {std::string(), sqlite}) {
    const Clocked& d = f.add(backend + std::string(pools));
    const uint16_t port = d.daemon.port();
    const auto freeze = [&](const std::string& query) {
      Connection line(port);
      assert_true(line.send(post_request("/freeze/?reason=so&" + query, "", "")));
      assert_text(line.response().value_or(Response{}).body, "OK");
    };
    freeze("pool=sem&for=600");
    d.step(day);
    assert_text(word(port, "/get?pool=sem&host=a"), "NO");
    freeze("pool=mutex&for=2");
    d.step(-day);
    assert_true(eventually([&] { return word(port, "/get?pool=mutex&host=a") == "YES"; }));
    assert_text(word(port, "/get?pool=sem&host=a"), "NO");
  }
}

void daemons_that_differ_on_the_date_share_a_mutex(void** state) {
  skip_without_library();
  Fixture& f = fixture_of<Fixture>(state);
  assert_true(f.memcached.start());
  const std::string yaml = "backend: memcache\nmemcachehost: " + f.memcached.address() +
                           "\npoll: 20\n" + std::string(pools);
  const Clocked& one = f.add(yaml);
  const Clocked& other = f.add(yaml);
  for (const Clocked* d : {&one, &other}) {
    assert_true(eventually([&] { return fetch(d->daemon.port(), "/readyz").status == 200; }));
  }
  f.crowd = std::make_unique<Crowd>(CrowdShape{.pool = "mutex", .clients = 20},
                                    std::vector{one.daemon.port(), other.daemon.port()});
  f.crowd->history().slots("mutex", 1);
  for (const long ahead : {400 * day, -400 * day, 0L}) {
    one.step(ahead);
    other.step(-ahead);
    assert_true(f.crowd->goes_on(30));
  }
  f.crowd->stop();
  assert_text(f.crowd->history().verdict(), "");
  assert_true(wait_for_holders(one.daemon.port(), "mutex", 0));
}

// A daemon knows the end of another daemon's lease only by the time of day and by memcached's
// clock. What the granting daemon says is the control.
void a_daemon_that_differs_on_the_date_tells_the_same_end_of_a_lease(void** state) {
  skip_without_library();
  Fixture& f = fixture_of<Fixture>(state);
  assert_true(f.memcached.start());
  const std::string yaml =
      "backend: memcache\nmemcachehost: " + f.memcached.address() + "\n" + std::string(pools);
  const std::string get = "/get?pool=sem&host=a";
  const Clocked& one = f.add(yaml);
  const Clocked& ahead = f.add(yaml, 400 * day);
  const Clocked& behind = f.add(yaml, -400 * day);
  for (const auto& d : f.daemons) {
    assert_true(eventually([&] { return fetch(d->daemon.port(), "/readyz").status == 200; }));
  }
  const auto left = [&](const Clocked& d) { return expires_in(fetch(d.daemon.port(), get)); };
  assert_true(left(one) > Seconds{590});
  assert_true(eventually([&] { return left(one) < Seconds{595}; }));
  // memcached counts whole seconds.
  for (const Clocked* other : {&ahead, &behind}) {
    const Seconds most = left(one);
    const Seconds told = left(*other);
    const Seconds least = left(one);
    assert_that(told < most + Seconds{2.5} && told > least - Seconds{2.5},
                "%f s, the other daemon says %f s", told.count(), least.count());
  }
}

}  // namespace
}  // namespace distributex::test

int main() {
  using namespace distributex::test;
  const CMUnitTest tests[] = {
      test_with(Fixture, leases_and_waits_do_not_feel_a_step),
      test_with(Fixture, tokens_rise_over_steps_and_over_a_restart),
      test_with(Fixture, a_freeze_for_a_time_does_not_feel_a_step),
      test_with(Fixture, daemons_that_differ_on_the_date_share_a_mutex),
      test_with(Fixture, a_daemon_that_differs_on_the_date_tells_the_same_end_of_a_lease),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
