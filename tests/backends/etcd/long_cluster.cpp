// SPDX-License-Identifier: MIT
// Real daemons over real etcd, with clients that contend for a lock while
// something breaks: members, their leader, their disk's limit, their history,
// daemons. What the clients were told must be a sound history. Takes minutes:
// 'make check-etcd' runs it, not 'make check'.
#include <signal.h>

#include <functional>

#include "support/etcdworld.h"

namespace distributex::test {
namespace {

using Clock = History::Time::clock;
using Fixture = EtcdWorldFixture;

Fixture& of(void** state) { return fixture_of<Fixture>(state); }

bool has_locked(const Crowd& crowd, size_t more) {
  const size_t before = crowd.locks();
  return eventually([&] { return crowd.locks() >= before + more; });
}

// Breaks something while clients contend; afterwards all daemons must serve as before.
void break_under_load(Fixture& f, const std::function<void(Crowd&)>& break_and_mend) {
  Crowd& crowd = f.contend("mutex", 1, false);
  assert_true(has_locked(crowd, 30));
  break_and_mend(crowd);
  for (size_t i = 0; i < f.daemons.size(); i++) {
    assert_true(f.is_ready(i));
  }
  assert_true(has_locked(crowd, 30));
  crowd.stop();
  assert_sound(crowd, "mutex", 60);
}

void daemons_share_a_mutex(void** state) {
  Fixture& f = of(state);
  f.start(1, 3);
  Crowd& crowd = f.contend("mutex", 1, true, 50, 6);
  crowd.finish();
  assert_sound(crowd, "mutex", 300);
}

void daemons_share_a_semaphore(void** state) {
  Fixture& f = of(state);
  f.start(3, 3);
  Crowd& crowd = f.contend("sem", 5, true, 50, 6);
  crowd.finish();
  assert_sound(crowd, "sem", 300);
}

void the_leader_is_killed_under_load(void** state) {
  Fixture& f = of(state);
  f.start(3, 2);
  break_under_load(f, [&](Crowd& crowd) {
    const auto leader = f.etcd->leader();
    assert_true(leader.has_value());
    f.etcd->kill_now(*leader);
    assert_true(has_locked(crowd, 20));
    f.etcd->restart(*leader);
    assert_true(f.etcd->wait_ready(*leader));
  });
}

void the_leader_stands_still_under_load(void** state) {
  Fixture& f = of(state);
  f.start(3, 2);
  break_under_load(f, [&](Crowd& crowd) {
    const auto leader = f.etcd->leader();
    assert_true(leader.has_value());
    f.etcd->stop(*leader);
    assert_true(has_locked(crowd, 20));
    f.etcd->go_on(*leader);
  });
}

void without_a_majority_nobody_is_granted_a_lock(void** state) {
  Fixture& f = of(state);
  f.start(3, 2);
  break_under_load(f, [&](Crowd&) {
    f.etcd->stop(0);
    f.etcd->stop(1);
    assert_true(eventually([&] { return fetch(f.port(0), "/readyz").status == 503; }));
    const Response refused = fetch(f.port(1), "/get/?pool=long&host=a");
    assert_int_equal(refused.status, 503);
    f.etcd->go_on(0);
    f.etcd->go_on(1);
  });
}

void a_daemon_is_killed_under_load(void** state) {
  Fixture& f = of(state);
  f.start(1, 3);
  break_under_load(f, [&](Crowd& crowd) {
    f.daemons[0]->kill_now();
    assert_true(has_locked(crowd, 30));
    assert_true(f.daemons[0]->restart());
  });
}

void a_daemon_stands_still_under_load(void** state) {
  Fixture& f = of(state);
  f.start(1, 2);
  break_under_load(f, [&](Crowd& crowd) {
    f.daemons[0]->send_signal(SIGSTOP);
    // Clients of the stopped daemon wait for it; clients of the other one get the lock when
    // the leases of those have ended.
    for (int i = 0; i < 3; i++) {
      assert_text(word(f.port(1), "/wait/?pool=mutex&host=x"), "YES");
      assert_text(word(f.port(1), "/release/?pool=mutex&host=x"), "OK");
    }
    f.daemons[0]->send_signal(SIGCONT);
    assert_true(has_locked(crowd, 10));
  });
}

void history_is_compacted_under_load(void** state) {
  Fixture& f = of(state);
  f.start(1, 2);
  break_under_load(f, [&](Crowd& crowd) {
    for (int i = 0; i < 5; i++) {
      const std::string revision = std::to_string(f.etcd->revision());
      (void)f.etcd->post(0, "/v3/kv/compaction", R"({"revision":")" + revision + R"("})");
      assert_true(has_locked(crowd, 5));
    }
  });
}

void tokens_rise_over_a_wiped_member(void** state) {
  Fixture& f = of(state);
  f.start(1, 2);
  break_under_load(f, [&](Crowd& crowd) {
    const auto from = Clock::now();
    f.etcd->kill_now(0);
    f.etcd->wipe(0);
    f.etcd->restart(0);
    assert_true(f.daemons[0]->wait_for_log("etcd was set back").has_value());
    assert_true(f.daemons[1]->wait_for_log("etcd was set back").has_value());
    crowd.lost_all(from, Clock::now());
  });
}

}  // namespace
}  // namespace distributex::test

int main() {
  using namespace distributex::test;
  if (!EtcdCluster::is_installed()) {
    return 1;
  }
  const CMUnitTest tests[] = {
      test_with(Fixture, daemons_share_a_mutex),
      test_with(Fixture, daemons_share_a_semaphore),
      test_with(Fixture, the_leader_is_killed_under_load),
      test_with(Fixture, the_leader_stands_still_under_load),
      test_with(Fixture, without_a_majority_nobody_is_granted_a_lock),
      test_with(Fixture, a_daemon_is_killed_under_load),
      test_with(Fixture, a_daemon_stands_still_under_load),
      test_with(Fixture, history_is_compacted_under_load),
      test_with(Fixture, tokens_rise_over_a_wiped_member),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
