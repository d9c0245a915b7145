// SPDX-License-Identifier: MIT
// kill -9 at any moment under load, again and again. With memcached, and in a
// store on the disk, locks and tokens outlive each daemon. In memory, locks end
// with the process, and the tokens of the next one are higher.
#include "support/crowd.h"
#include "support/daemon.h"
#include "support/http.h"
#include "support/memcached.h"
#include "support/rest.h"
#include "support/status.h"
#include "support/test.h"

namespace distributex::test {
namespace {

constexpr std::string_view pools = R"(pools:
  - {name: mutex, expire: 2}
  - {name: sem, expire: 2, maxlocks: 3}
  - {name: long, expire: 600}
)";
constexpr int kills = 8;

struct Fixture {
  Memcached memcached{};
  TempDir disk{};
  std::vector<std::unique_ptr<Daemon>> daemons{};
  std::unique_ptr<Crowd> crowd{};
  unsigned dice = 7;

  bool finish() {
    crowd.reset();
    bool well = true;
    for (const auto& daemon : daemons) {
      well = daemon->stop() && well;
    }
    return well;
  }
  void start(size_t count, const std::string& yaml) {
    for (size_t i = 0; i < count; i++) {
      daemons.push_back(std::make_unique<Daemon>(yaml));
      assert_true(daemons.back()->start());
      assert_true(is_ready(*daemons.back()));
    }
  }
  std::string shared() {
    assert_true(memcached.start());
    return "backend: memcache\nmemcachehost: " + memcached.address() + "\npoll: 20\n" +
           std::string(pools);
  }
  std::string stored() const {
    return "backend: sqlite\nsqlitefile: " + disk.file("locks.db") + "\n" + std::string(pools);
  }
  static bool is_ready(const Daemon& daemon) {
    return eventually([&] { return fetch(daemon.port(), "/readyz").status == 200; });
  }
  Crowd& contend(const std::string& pool, size_t slots) {
    std::vector<uint16_t> ports;
    for (const auto& daemon : daemons) {
      ports.push_back(daemon->port());
    }
    crowd = std::make_unique<Crowd>(CrowdShape{.pool = pool, .clients = 20}, ports);
    crowd->history().slots(pool, slots);
    return *crowd;
  }
  size_t roll(size_t sides) {
    dice = dice * 1664525U + 1013904223U;
    return (dice >> 16) % sides;
  }
};

// Kills the daemon after a random number of locks and of requests. Returns a time at which
// the daemon surely lived.
Clock::time_point kill_at_some_moment(Fixture& f, Daemon& daemon) {
  assert_true(f.crowd->goes_on(1 + f.roll(12)));
  for (size_t more = f.roll(20); more > 0; more--) {
    assert_int_equal(fetch(daemon.port(), "/livez").status, 200);
  }
  const Clock::time_point alive = Clock::now();
  daemon.kill_now();
  return alive;
}

void kill_in_turn(Fixture& f, const std::string& pool, size_t slots) {
  f.start(2, f.shared());
  const long at_rest = f.daemons[1]->open_files();
  Crowd& crowd = f.contend(pool, slots);
  for (size_t i = 0; i < kills; i++) {
    Daemon& daemon = *f.daemons[i % 2];
    kill_at_some_moment(f, daemon);
    assert_true(daemon.restart());
  }
  for (const auto& daemon : f.daemons) {
    assert_true(Fixture::is_ready(*daemon));
  }
  assert_true(crowd.goes_on(20));
  crowd.stop();
  assert_text(crowd.history().verdict(), "");
  for (const auto& daemon : f.daemons) {
    assert_text(unrest(*daemon, pool, slots, at_rest), "");
  }
}

void a_mutex_in_memcached_outlives_every_daemon(void** state) {
  kill_in_turn(fixture_of<Fixture>(state), "mutex", 1);
}

void a_semaphore_in_memcached_outlives_every_daemon(void** state) {
  kill_in_turn(fixture_of<Fixture>(state), "sem", 3);
}

// While both daemons are dead nobody is served, and memcached keeps the lock.
void a_lock_in_memcached_outlives_all_daemons_at_once(void** state) {
  Fixture& f = fixture_of<Fixture>(state);
  f.start(2, f.shared());
  const long at_rest = f.daemons[1]->open_files();
  const Response granted = fetch(f.daemons[0]->port(), "/get?pool=long&host=a");
  assert_text(granted.body, "YES");
  const std::string token = granted.header("Distributex-Token");
  for (const auto& daemon : f.daemons) {
    daemon->kill_now();
  }
  for (const auto& daemon : f.daemons) {
    assert_true(daemon->restart() && Fixture::is_ready(*daemon));
    assert_text(word(daemon->port(), "/get?pool=long&host=b"), "NO");
    const Response held = fetch(daemon->port(), "/get?pool=long&host=a");
    assert_text(held.header("Distributex-Result"), "held");
    assert_text(held.header("Distributex-Token"), token);
  }
  assert_text(word(f.daemons[1]->port(), "/release?pool=long&host=a&token=" + token), "OK");
  const Response next = fetch(f.daemons[0]->port(), "/get?pool=long&host=b");
  assert_true(std::stoll(next.header("Distributex-Token")) > std::stoll(token));
  assert_text(word(f.daemons[0]->port(), "/release?pool=long&host=b"), "OK");
  for (const auto& daemon : f.daemons) {
    assert_text(unrest(*daemon, "long", 1, at_rest), "");
  }
}

void kill_with_a_store(Fixture& f, const std::string& pool, size_t slots) {
  f.start(1, f.stored());
  Daemon& daemon = *f.daemons[0];
  Crowd& crowd = f.contend(pool, slots);
  for (int i = 0; i < kills; i++) {
    kill_at_some_moment(f, daemon);
    assert_true(daemon.restart());
  }
  assert_true(crowd.goes_on(20));
  crowd.stop();
  assert_text(crowd.history().verdict(), "");
  assert_true(eventually([&] { return pool_state(daemon.port(), pool).holders.empty(); }));
}

void a_mutex_in_a_store_outlives_the_daemon(void** state) {
  kill_with_a_store(fixture_of<Fixture>(state), "mutex", 1);
}

void a_semaphore_in_a_store_outlives_the_daemon(void** state) {
  kill_with_a_store(fixture_of<Fixture>(state), "sem", 3);
}

// By the holder's own clock the lease ends at the same moment as before the kill.
void a_lock_in_a_store_goes_on_with_its_time(void** state) {
  Fixture& f = fixture_of<Fixture>(state);
  f.start(1, f.stored());
  Daemon& daemon = *f.daemons[0];
  const auto before = Clock::now();
  const Response granted = fetch(daemon.port(), "/get?pool=long&host=a");
  const auto after = Clock::now();
  daemon.kill_now();
  assert_true(daemon.restart());
  const auto asked = Clock::now();
  const Response held = fetch(daemon.port(), "/get?pool=long&host=a");
  const auto answered = Clock::now();
  assert_text(held.header("Distributex-Result"), "held");
  assert_text(held.header("Distributex-Token"), granted.header("Distributex-Token"));
  const std::chrono::duration<double> left(std::stod(held.header("Distributex-Expires")));
  constexpr std::chrono::duration<double> rounding{0.01};
  assert_true(answered + left + rounding >= before + std::chrono::seconds{600});
  assert_true(asked + left - rounding <= after + std::chrono::seconds{600});
  assert_text(word(daemon.port(), "/release?pool=long&host=a"), "OK");
  assert_true(daemon.stop());
  assert_true(daemon.restart());
  const Response next = fetch(daemon.port(), "/get?pool=long&host=b");
  assert_true(std::stoll(next.header("Distributex-Token")) >
              std::stoll(granted.header("Distributex-Token")));
}

void kill_in_memory(Fixture& f, const std::string& pool, size_t slots) {
  f.start(1, std::string(pools));
  Daemon& daemon = *f.daemons[0];
  const long at_rest = daemon.open_files();
  Crowd& crowd = f.contend(pool, slots);
  for (int i = 0; i < kills; i++) {
    const Clock::time_point alive = kill_at_some_moment(f, daemon);
    crowd.lost_all(alive, Clock::now());
    assert_true(daemon.restart());
  }
  assert_true(crowd.goes_on(20));
  crowd.stop();
  assert_text(crowd.history().verdict(), "");
  assert_text(unrest(daemon, pool, slots, at_rest), "");
}

void a_mutex_in_memory_is_free_again_and_its_tokens_rise(void** state) {
  kill_in_memory(fixture_of<Fixture>(state), "mutex", 1);
}

void a_semaphore_in_memory_is_free_again_and_its_tokens_rise(void** state) {
  kill_in_memory(fixture_of<Fixture>(state), "sem", 3);
}

}  // namespace
}  // namespace distributex::test

int main() {
  using namespace distributex::test;
  const CMUnitTest tests[] = {
      test_with(Fixture, a_mutex_in_memcached_outlives_every_daemon),
      test_with(Fixture, a_semaphore_in_memcached_outlives_every_daemon),
      test_with(Fixture, a_lock_in_memcached_outlives_all_daemons_at_once),
      test_with(Fixture, a_mutex_in_a_store_outlives_the_daemon),
      test_with(Fixture, a_semaphore_in_a_store_outlives_the_daemon),
      test_with(Fixture, a_lock_in_a_store_goes_on_with_its_time),
      test_with(Fixture, a_mutex_in_memory_is_free_again_and_its_tokens_rise),
      test_with(Fixture, a_semaphore_in_memory_is_free_again_and_its_tokens_rise),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
