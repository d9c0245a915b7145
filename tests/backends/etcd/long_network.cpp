// SPDX-License-Identifier: MIT
// A network between a daemon and the members of etcd in which packets vanish: nobody
// refuses, nobody answers. One daemon is behind it, another beside the members. Needs
// a network namespace and a TUN device; skipped with a word where there are none.
#include <sched.h>

#include "support/etcdworld.h"
#include "support/lossy.h"
#include "support/namespace.h"

namespace distributex::test {
namespace {

std::string no_namespace;  // why there is none

constexpr uint64_t one_member = 1;
constexpr uint64_t all_members = 7;
constexpr milliseconds timeout{1500};

struct Fixture : EtcdWorldFixture {
  std::unique_ptr<LossyNetwork> network{};

  bool finish() {
    if (network) {
      network->cut_off(0);
    }
    const bool well = EtcdWorldFixture::finish();
    network.reset();
    return well;
  }
  // The first daemon is behind the network, the second is not.
  void start_apart() {
    network = std::make_unique<LossyNetwork>();
    const std::string& why = no_namespace.empty() ? network->trouble() : no_namespace;
    if (!why.empty()) {
      print_message("skipped: no network of its own (%s)\n", why.c_str());
      network.reset();
      skip();
    }
    etcd = std::make_unique<EtcdCluster>(3);
    etcd->listen_everywhere();
    assert_true(etcd->start());
    std::string hosts;
    for (unsigned i = 0; i < etcd->size(); i++) {
      hosts += (i == 0 ? "http://" : ",http://") + far(i);
    }
    add_daemon(hosts, "etcdtimeout: " + std::to_string(timeout.count()) + "\n");
    add_daemon(etcd->hosts());
  }
  [[nodiscard]] std::string far(unsigned member) const {
    return far_side_of(member) + ":" + std::to_string(etcd->port(member));
  }
  [[nodiscard]] std::string asked_member() const {
    const Json status = parse_json(fetch(port(0), "/status/").body);
    return json_text(json_object_get(status.get(), "store"), "address");
  }
  // A lock that the first daemon granted is held at the second one, too, and the other way round.
  void check_both_are_one() const {
    assert_true(eventually([&] { return word(port(0), "/get/?pool=long&host=a") == "YES"; }));
    assert_text(word(port(1), "/get/?pool=long&host=b"), "NO");
    assert_true(eventually([&] { return word(port(0), "/release/?pool=long&host=a") == "OK"; }));
    assert_true(eventually([&] { return word(port(1), "/get/?pool=long&host=b") == "YES"; }));
    assert_text(word(port(1), "/release/?pool=long&host=b"), "OK");
  }
};

Fixture& of(void** state) { return fixture_of<Fixture>(state); }

void a_daemon_that_loses_its_member_goes_on_by_another(void** state) {
  Fixture& f = of(state);
  f.start_apart();
  const std::string lost = "http://" + f.far(0);
  assert_text(f.asked_member(), lost);
  Crowd& crowd = f.contend("mutex", 1, false, 8);
  assert_true(crowd.goes_on(20));
  f.network->cut_off(one_member);
  assert_true(eventually([&] { return f.asked_member() != lost; }));
  assert_true(f.is_ready(0));
  f.check_both_are_one();
  assert_true(crowd.goes_on(40));
  f.network->cut_off(0);
  assert_true(crowd.goes_on(40));
  crowd.stop();
  assert_sound(crowd, "mutex", 60);
  assert_true(f.network->lost() > 0);
}

// No client sends the first daemon a request: only its watch can notice the release.
void a_waiter_is_woken_although_the_watch_has_lost_its_member(void** state) {
  Fixture& f = of(state);
  f.start_apart();
  assert_text(word(f.port(1), "/get/?pool=long&host=a"), "YES");
  Connection waiter(f.port(0));
  assert_true(waiter.send(get_request("/wait/?pool=long&host=b")));
  assert_true(wait_for_waiting(f.port(0), "long", 1));
  f.network->cut_off(one_member);
  assert_text(word(f.port(1), "/release/?pool=long&host=a"), "OK");
  const auto response = waiter.response();
  assert_true(response && response->body == "YES");
  assert_text(word(f.port(1), "/get/?pool=long&host=a"), "NO");
}

void a_daemon_that_loses_all_members_says_so_in_time_and_heals(void** state) {
  Fixture& f = of(state);
  f.start_apart();
  assert_text(word(f.port(0), "/get/?pool=long&host=a"), "YES");
  f.network->cut_off(all_members);
  const auto asked = Clock::now();
  const Response refused = fetch(f.port(0), "/get/?pool=long&host=b");
  const auto took = Clock::now() - asked;
  assert_int_equal(refused.status, 503);
  assert_that(refused.header("Distributex-Error").starts_with("etcd: "), "%s",
              refused.header("Distributex-Error").c_str());
  // TCP by itself would go on trying for many minutes.
  assert_true(took < timeout + patience / 2);
  assert_true(f.is_unready(0, "etcd: no answer from 3 endpoints since "));
  // A release is answered 503, too, because the daemon cannot know whether it is carried out.
  assert_int_equal(fetch(f.port(0), "/release/?pool=long&host=a").status, 503);
  // The second daemon goes on.
  assert_text(word(f.port(1), "/get/?pool=mutex&host=b"), "YES");
  assert_text(word(f.port(1), "/release/?pool=mutex&host=b"), "OK");
  f.network->cut_off(0);
  assert_true(f.is_ready(0));
  // The lease is still held, or the late release was carried out.
  assert_true(eventually([&] { return word(f.port(0), "/release/?pool=long&host=a") == "OK"; }));
  f.check_both_are_one();
}

}  // namespace
}  // namespace distributex::test

int main() {
  using namespace distributex::test;
  if (!EtcdCluster::is_installed()) {
    return 1;
  }
  no_namespace = enter_namespaces(CLONE_NEWNET);
  const CMUnitTest tests[] = {
      test_with(Fixture, a_daemon_that_loses_its_member_goes_on_by_another),
      test_with(Fixture, a_waiter_is_woken_although_the_watch_has_lost_its_member),
      test_with(Fixture, a_daemon_that_loses_all_members_says_so_in_time_and_heals),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
