// SPDX-License-Identifier: MIT
// Several real daemons over one real memcached, with fifty clients that contend
// for a lock, in calm and while something breaks. What the clients were told
// must be a sound history, and no daemon's loop may stand still meanwhile.
#include <poll.h>
#include <stdlib.h>

#include "support/crowd.h"
#include "support/daemon.h"
#include "support/faultproxy.h"
#include "support/http.h"
#include "support/livez.h"
#include "support/memcached.h"
#include "support/status.h"
#include "support/test.h"

namespace distributex::test {
namespace {

constexpr milliseconds livez_limit{100};

std::string yaml_for(const std::string& address) {
  return "backend: memcache\nmemcachehost: \"" + address +
         "\"\npoll: 20\nmemcachetimeout: 1000\npools:\n"
         "  - {name: mutex, expire: 3}\n  - {name: sem, expire: 3, maxlocks: 5}\n"
         "  - {name: long, expire: 600}\n";
}

// memcached behind a proxy, and daemons that are started as needed.
struct Fixture {
  Memcached memcached{};
  std::unique_ptr<FaultProxy> proxy;
  std::vector<std::unique_ptr<Daemon>> daemons{};
  std::unique_ptr<LivezWatch> watch{};
  std::unique_ptr<Crowd> crowd{};

  bool begin() {
    if (!memcached.start()) {
      return false;
    }
    proxy = std::make_unique<FaultProxy>(memcached.port());
    return true;
  }
  bool finish() {
    crowd.reset();
    watch.reset();
    bool well = true;
    for (const auto& daemon : daemons) {
      well = daemon->stop() && well;
    }
    return well;
  }
  bool start_daemons(size_t count) {
    for (size_t i = 0; i < count; i++) {
      daemons.push_back(std::make_unique<Daemon>(yaml_for(proxy->address())));
      if (!daemons.back()->start() || !is_ready(i)) {
        return false;
      }
    }
    return true;
  }
  Crowd& crowd_in(const std::string& pool, size_t slots, size_t clients, bool patient,
                  size_t rounds) {
    const CrowdShape shape{.pool = pool, .clients = clients, .patient = patient, .rounds = rounds};
    crowd = std::make_unique<Crowd>(shape, ports());
    crowd->history().slots(pool, slots);
    return *crowd;
  }
  void start_watch() { watch = std::make_unique<LivezWatch>(ports()); }
  bool is_ready(size_t daemon) const {
    return eventually([&] { return fetch(port(daemon), "/readyz").status == 200; });
  }
  uint16_t port(size_t daemon) const { return daemons[daemon]->port(); }
  std::vector<uint16_t> ports() const {
    std::vector<uint16_t> all;
    for (const auto& daemon : daemons) {
      all.push_back(daemon->port());
    }
    return all;
  }
};

Fixture& of(void** state) { return fixture_of<Fixture>(state); }
using Clock = History::Time::clock;

bool has_locked(const Crowd& crowd, size_t more) {
  const size_t before = crowd.locks();
  return eventually([&] { return crowd.locks() >= before + more; });
}

void assert_sound(Crowd& crowd, const std::string& pool, size_t least) {
  assert_text(crowd.history().verdict(), "");
  assert_that(crowd.history().grants(pool) >= least, "only %zu grants",
              crowd.history().grants(pool));
}

void assert_alive(LivezWatch& watch) {
  watch.stop();
  assert_that(watch.is_quick(livez_limit), "/livez: %s", watch.report().c_str());
}

// --- calm -------------------------------------------------------------------

void contend(Fixture& f, size_t daemons, const std::string& pool, size_t slots) {
  assert_true(f.start_daemons(daemons));
  f.start_watch();
  Crowd& crowd = f.crowd_in(pool, slots, 50, true, 6);
  crowd.finish();
  f.watch->stop();
  assert_sound(crowd, pool, 300);
  assert_alive(*f.watch);
}

void two_daemons_share_a_mutex(void** state) { contend(of(state), 2, "mutex", 1); }
void three_daemons_share_a_mutex(void** state) { contend(of(state), 3, "mutex", 1); }
void three_daemons_share_a_semaphore(void** state) { contend(of(state), 3, "sem", 5); }

void a_release_on_one_daemon_wakes_a_waiter_of_another(void** state) {
  Fixture& f = of(state);
  assert_true(f.start_daemons(2));
  assert_text(word(f.port(0), "/get/?pool=long&host=a"), "YES");
  Connection waiter(f.port(1));
  assert_true(waiter.send(get_request("/wait/?pool=long&host=b")));
  assert_true(wait_for_waiting(f.port(1), "long", 1));
  assert_text(holders_of(f.port(1), "long"), "a");
  assert_text(word(f.port(0), "/release/?pool=long&host=a"), "OK");
  const auto response = waiter.response();
  assert_true(response && response->body == "YES");
  assert_true(eventually([&] { return holders_of(f.port(0), "long") == "b"; }));
}

void slots_that_come_free_at_once_wake_as_many_waiters(void** state) {
  Fixture& f = of(state);
  assert_true(f.start_daemons(2));
  for (const char* id : {"1", "2", "3", "4", "5"}) {
    assert_text(word(f.port(0), std::string("/get/?pool=sem&host=a&expire=3&id=") + id), "YES");
  }
  std::vector<Connection> waiters;
  for (const char* id : {"1", "2", "3", "4", "5"}) {
    waiters.emplace_back(f.port(1));
    assert_true(waiters.back().send(get_request(std::string("/wait/?pool=sem&host=b&id=") + id)));
  }
  assert_true(wait_for_waiting(f.port(1), "sem", 5));
  for (Connection& waiter : waiters) {
    const auto response = waiter.response();
    assert_true(response && response->body == "YES");
  }
}

// No client asks for anything meanwhile: only the daemon removes leases that have ended.
void leases_that_end_one_after_the_other_look_like_no_silence(void** state) {
  Fixture& f = of(state);
  assert_true(f.start_daemons(1));
  f.daemons[0]->forget_log();
  for (const char* pool : {"mutex", "long", "sem", "sem", "sem", "sem", "sem"}) {
    static int number = 0;
    const std::string who = "&expire=3&host=h" + std::to_string(++number);
    assert_text(word(f.port(0), std::string("/get/?pool=") + pool + who), "YES");
    poll(nullptr, 0, 450);  // the leases will end so far apart
  }
  assert_true(eventually([&] { return f.daemons[0]->log_lines("event=expired").size() == 7; }));
  assert_int_equal(f.daemons[0]->log_lines("memcached down").size(), 0);
}

// --- something breaks -------------------------------------------------------

void locks_and_tokens_stay_when_a_daemon_is_killed(void** state) {
  Fixture& f = of(state);
  assert_true(f.start_daemons(2));
  const std::string token = fetch(f.port(0), "/get/?pool=long&host=a").header("Distributex-Token");
  f.daemons[0]->kill_now();
  assert_text(word(f.port(1), "/get/?pool=long&host=b"), "NO");
  const Response held = fetch(f.port(1), "/get/?pool=long&host=a");
  assert_text(held.header("Distributex-Result"), "held");
  assert_text(held.header("Distributex-Token"), token);
  assert_true(f.daemons[0]->restart() && f.is_ready(0));
  assert_text(word(f.port(0), "/renew/?pool=long&host=a&token=" + token), "OK");
  assert_text(word(f.port(0), "/release/?pool=long&host=a&token=" + token), "OK");
  const Response next = fetch(f.port(1), "/get/?pool=long&host=b");
  assert_true(strtoull(next.header("Distributex-Token").c_str(), nullptr, 10) >
              strtoull(token.c_str(), nullptr, 10));
}

void a_daemon_killed_under_load_causes_no_second_holder(void** state) {
  Fixture& f = of(state);
  assert_true(f.start_daemons(3));
  Crowd& crowd = f.crowd_in("mutex", 1, 50, true, 0);
  assert_true(has_locked(crowd, 50));
  f.daemons[0]->kill_now();
  assert_true(has_locked(crowd, 50));
  assert_true(f.daemons[0]->restart());
  assert_true(has_locked(crowd, 50));
  crowd.stop();
  assert_sound(crowd, "mutex", 150);
}

// Breaks something while clients contend; afterwards all daemons must serve as before.
void break_under_load(Fixture& f, const std::string& pool, size_t slots,
                      const std::function<void(Crowd&)>& break_and_mend) {
  assert_true(f.start_daemons(2));
  f.start_watch();
  Crowd& crowd = f.crowd_in(pool, slots, 20, false, 0);
  assert_true(has_locked(crowd, 30));
  break_and_mend(crowd);
  assert_true(f.is_ready(0) && f.is_ready(1));
  assert_true(has_locked(crowd, 30));
  crowd.stop();
  f.watch->stop();
  assert_sound(crowd, pool, 50);
  assert_alive(*f.watch);
}

bool says(Fixture& f, const char* text) {
  return f.daemons[0]->wait_for_log(text) && f.daemons[1]->wait_for_log(text);
}

void a_stopped_memcached_under_load(void** state) {
  Fixture& f = of(state);
  break_under_load(f, "mutex", 1, [&](Crowd&) {
    f.memcached.stop();
    assert_true(says(f, "memcached down"));
    assert_int_equal(fetch(f.port(0), "/readyz").status, 503);
    const Response refused = fetch(f.port(0), "/get/?pool=long&host=a");
    assert_int_equal(refused.status, 503);
    assert_text(refused.body, "NO");
    assert_true(refused.header("Distributex-Error").find(f.proxy->address()) != std::string::npos);
    f.memcached.go_on();
  });
}

void a_killed_and_restarted_memcached_under_load(void** state) {
  Fixture& f = of(state);
  break_under_load(f, "sem", 5, [&](Crowd& crowd) {
    const auto from = Clock::now();
    f.memcached.kill_now();
    assert_true(says(f, "memcached down"));
    assert_true(f.memcached.start());
    crowd.lost_all(from, Clock::now());
    assert_true(says(f, "memcached up"));
  });
}

void a_dripping_memcached_under_load(void** state) {
  Fixture& f = of(state);
  break_under_load(f, "mutex", 1, [&](Crowd&) {
    f.proxy->set(FaultProxy::Mode::drip);
    assert_true(says(f, "memcached down"));
    f.proxy->set(FaultProxy::Mode::pass);
  });
}

void answers_cut_in_the_middle_under_load(void** state) {
  Fixture& f = of(state);
  break_under_load(f, "sem", 5, [&](Crowd&) {
    for (unsigned i = 1; i <= 5; i++) {
      const unsigned before = f.proxy->cuts();
      f.proxy->set(FaultProxy::Mode::cut);
      assert_true(eventually([&] { return f.proxy->cuts() >= before + 4; }));
      f.proxy->set(FaultProxy::Mode::pass);
      assert_true(f.is_ready(0) && f.is_ready(1));
    }
  });
}

void a_flushed_memcached_under_load(void** state) {
  Fixture& f = of(state);
  break_under_load(f, "mutex", 1, [&](Crowd& crowd) {
    const auto from = Clock::now();
    assert_text(f.memcached.ask("flush_all"), "OK");
    crowd.lost_all(from, Clock::now());
  });
}

void starts_without_memcached_and_warns_of_its_settings(void**) {
  Memcached memcached(std::vector<std::string>{});  // without -M it evicts
  assert_true(memcached.start());
  memcached.kill_now();
  Daemon daemon(yaml_for(memcached.address()));
  assert_true(daemon.start());
  const Response ready = fetch(daemon.port(), "/readyz");
  assert_int_equal(ready.status, 503);
  assert_text(word(daemon.port(), "/get/?pool=long&host=a"), "NO");
  assert_int_equal(fetch(daemon.port(), "/livez").status, 200);
  assert_true(memcached.start());
  const auto back = Clock::now();
  assert_true(eventually([&] { return fetch(daemon.port(), "/readyz").status == 200; }));
  assert_true(Clock::now() - back < milliseconds(3500));
  assert_text(word(daemon.port(), "/get/?pool=long&host=a"), "YES");
  assert_true(daemon.wait_for_log("memcached may drop leases when its memory is full").has_value());
  assert_true(daemon.stop());
}

}  // namespace
}  // namespace distributex::test

int main() {
  using namespace distributex::test;
  const CMUnitTest tests[] = {
      test_with(Fixture, two_daemons_share_a_mutex),
      test_with(Fixture, three_daemons_share_a_mutex),
      test_with(Fixture, three_daemons_share_a_semaphore),
      test_with(Fixture, a_release_on_one_daemon_wakes_a_waiter_of_another),
      test_with(Fixture, slots_that_come_free_at_once_wake_as_many_waiters),
      test_with(Fixture, leases_that_end_one_after_the_other_look_like_no_silence),
      test_with(Fixture, locks_and_tokens_stay_when_a_daemon_is_killed),
      test_with(Fixture, a_daemon_killed_under_load_causes_no_second_holder),
      test_with(Fixture, a_stopped_memcached_under_load),
      test_with(Fixture, a_killed_and_restarted_memcached_under_load),
      test_with(Fixture, a_dripping_memcached_under_load),
      test_with(Fixture, answers_cut_in_the_middle_under_load),
      test_with(Fixture, a_flushed_memcached_under_load),
      cmocka_unit_test(starts_without_memcached_and_warns_of_its_settings),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
