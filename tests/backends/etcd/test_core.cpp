// SPDX-License-Identifier: MIT
// Two servers of the backend on one etcd in memory, in an order that each test sets:
// what must hold when an answer or an event comes at the wrong moment. test_race.cpp draws
// orders at random.
#include <map>
#include <memory>

#include "backends/etcd/core.h"
#include "support/etcdoperators.h"
#include "support/fakeetcd.h"
#include "support/test.h"

namespace distributex::test {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::seconds;
using Kind = Verdict::Kind;

struct Server {
  Server(FakeEtcd& etcd, const Time& now, const std::string& name) : wire(etcd, now) {
    EtcdSettings settings;
    settings.server = name;
    settings.random = [this] { return ++numbers; };
    settings.wall_us = [&now] {
      return 1'000'000'000 + static_cast<uint64_t>(now.time_since_epoch() / milliseconds(1)) * 1000;
    };
    BackendSink sink;
    sink.decided = [this](OpId op, const Verdict& verdict) { verdicts[op] = verdict; };
    sink.changed = [](const std::string&) {};
    sink.expired = [](const std::string&, const Lease&, uint64_t) {};
    sink.happened = [](const Happening&, uint64_t) {};
    core = std::make_unique<EtcdCore>(wire, std::move(settings), 1, sink, [](Time) {});
    core->configure({raced_pool(2, false)});
  }
  [[nodiscard]] bool has_decided(OpId op) const { return verdicts.contains(op); }
  [[nodiscard]] Kind kind_of(OpId op) const { return verdicts.at(op).kind; }

  FakeWire wire;
  uint64_t numbers = 0;
  std::map<OpId, Verdict> verdicts{};
  std::unique_ptr<EtcdCore> core{};
};

struct Fixture {
  FakeEtcd etcd{};
  Time now = Time{} + hours(1);
  Server a{etcd, now, "a"};
  Server b{etcd, now, "b"};
  OpId ops = 0;

  bool begin() {
    settle(a);
    settle(b);
    return a.core->world().is_ready && b.core->world().is_ready;
  }
  // Answers all open questions of the server and tells it all events.
  void settle(Server& server) const {
    server.core->tick(now);
    while (server.wire.open() != 0 || server.wire.tell()) {
      while (server.wire.open() != 0) {
        server.wire.answer(0);
      }
    }
  }
  void pass(Duration time) { now += time; }
  OpId get(Server& server, const std::string& host) {
    server.core->acquire(
        {.op = ++ops, .pool = "p", .owner = {host, ""}, .slots = 2, .length = seconds(100)}, now);
    return ops;
  }
  OpId release(Server& server, const std::string& host) {
    server.core->release({.op = ++ops, .pool = "p", .owner = {host, ""}, .token = {}, .slots = 2},
                         now);
    return ops;
  }
  OpId renew(Server& server, const std::string& host) {
    server.core->renew({.op = ++ops, .pool = "p", .owner = {host, ""}, .token = {}, .length = {}},
                       now);
    return ops;
  }
  OpId freeze(Server& server) {
    server.core->order(
        {.op = ++ops, .kind = Order::Kind::freeze, .pool = "p", .reason = "r", .by = "ann"}, now);
    return ops;
  }
  // Freezes at the other server, up to the operator's answer; this server has no event of it
  // yet.
  void freeze_elsewhere(Server& elsewhere) {
    const OpId op = freeze(elsewhere);
    settle(elsewhere);
    pass(milliseconds(300));
    settle(elsewhere);
    assert_true(elsewhere.has_decided(op));
    assert_true(elsewhere.kind_of(op) == Kind::done);
  }
};

Fixture& of(void** state) { return fixture_of<Fixture>(state); }

// The clock stands while nothing has an end, for an hour here. The other server must not
// take the clock's old value for the time of the grant.
void a_lease_after_an_idle_time_has_all_its_time(void** state) {
  Fixture& f = of(state);
  const OpId before = f.get(f.a, "before");
  f.settle(f.a);
  assert_true(f.a.kind_of(before) == Kind::granted);
  f.release(f.a, "before");
  f.settle(f.a);
  f.settle(f.b);
  f.pass(hours(1));
  const OpId granted = f.get(f.a, "h");
  f.settle(f.a);
  f.settle(f.b);
  assert_true(f.a.kind_of(granted) == Kind::granted);
  for (int i = 0; i < 99; i++) {
    f.pass(seconds(1));
    f.settle(f.b);
    f.settle(f.a);
  }
  const OpId renewed = f.renew(f.a, "h");
  f.settle(f.a);
  assert_true(f.a.kind_of(renewed) == Kind::renewed);
}

// Somebody wrote the key of the offset by hand.
void tokens_rise_over_an_offset_that_fell(void** state) {
  Fixture& f = of(state);
  const OpId first = f.get(f.a, "first");
  f.settle(f.a);
  f.settle(f.b);
  EtcdTxn written;
  written.success = {EtcdPut{"distributex/base", "5 5"}};
  (void)f.etcd.apply(written);
  const OpId second = f.get(f.b, "second");
  f.settle(f.b);
  f.settle(f.a);
  assert_true(f.b.kind_of(second) == Kind::granted);
  assert_true(f.b.verdicts.at(second).token > f.a.verdicts.at(first).token);
}

// The grant was committed before the freeze. Its answer waits for that to an earlier release,
// and would then come after the answer to the freeze.
void a_grant_that_others_came_before_is_not_told_after_a_freeze(void** state) {
  Fixture& f = of(state);
  const OpId first = f.get(f.a, "first");
  f.settle(f.a);
  assert_true(f.a.kind_of(first) == Kind::granted);
  const OpId released = f.release(f.a, "first");
  const OpId granted = f.get(f.a, "second");
  assert_int_equal(f.a.wire.open(), 2);
  f.a.wire.answer(1);
  assert_false(f.a.has_decided(granted));
  f.freeze_elsewhere(f.b);
  f.a.wire.answer(0);
  assert_true(f.a.has_decided(released) || !f.a.has_decided(granted));
  f.settle(f.a);
  f.pass(milliseconds(100));
  f.settle(f.a);
  assert_true(f.a.kind_of(released) == Kind::released);
  assert_true(f.a.kind_of(granted) == Kind::full);
  // The lease of that grant is removed as well.
  f.pass(milliseconds(100));
  f.settle(f.a);
  assert_true(f.a.core->leases("p", 9, f.now).empty());
}

// The same without a freeze: the server looks at the rulings again, and tells of the grant.
void a_grant_that_others_came_before_is_told_when_nothing_is_frozen(void** state) {
  Fixture& f = of(state);
  const OpId first = f.get(f.a, "first");
  f.settle(f.a);
  assert_true(f.a.kind_of(first) == Kind::granted);
  const OpId released = f.release(f.a, "first");
  const OpId granted = f.get(f.a, "second");
  f.a.wire.answer(1);
  f.pass(milliseconds(300));
  f.a.wire.answer(0);
  f.settle(f.a);
  assert_true(f.a.kind_of(released) == Kind::released);
  assert_true(f.a.kind_of(granted) == Kind::granted);
}

// Questions of one owner are carried out in the order in which they came.
void a_renewal_waits_for_what_its_owner_asked_before(void** state) {
  Fixture& f = of(state);
  (void)f.get(f.a, "holder");
  f.settle(f.a);
  const OpId released = f.release(f.a, "holder");
  const OpId renewed = f.renew(f.a, "holder");
  assert_int_equal(f.a.wire.open(), 1);
  f.settle(f.a);
  assert_true(f.a.kind_of(released) == Kind::released);
  assert_true(f.a.kind_of(renewed) == Kind::lost);
}

// --- the mirror ---

bool knows_of_a_lease(const Fixture& f, const Server& server) {
  return server.core->leases("p", 9, f.now).size() == 1;
}

// The list is read after the watch was opened, so it has what was granted meanwhile.
void what_changes_before_the_watch_stands_is_listed(void** state) {
  Fixture& f = of(state);
  Server late(f.etcd, f.now, "late");
  late.core->tick(f.now);
  while (late.wire.open() != 0) {
    late.wire.answer(0);
  }
  (void)f.get(f.b, "holder");
  f.settle(f.b);
  f.settle(late);
  assert_true(knows_of_a_lease(f, late));
}

// A member that was cut off may answer a read with an old state.
void a_list_that_is_older_than_the_watch_is_read_again(void** state) {
  Fixture& f = of(state);
  EtcdTxn list;
  list.success.emplace_back(EtcdRange{.key = "distributex/", .range_end = "distributex0"});
  const EtcdAnswer before = f.etcd.apply(list);
  (void)f.get(f.b, "holder");
  f.settle(f.b);
  Server late(f.etcd, f.now, "late");
  late.core->tick(f.now);
  assert_true(late.wire.tell());
  late.wire.answer_with(late.wire.open() - 1, before);
  f.settle(late);
  f.pass(milliseconds(200));
  f.settle(late);
  assert_true(knows_of_a_lease(f, late));
}

// Events that come twice, or late, undo nothing.
void events_of_what_the_list_has_change_nothing(void** state) {
  Fixture& f = of(state);
  Server late(f.etcd, f.now, "late");
  late.core->tick(f.now);
  assert_true(late.wire.tell());
  const OpId first = f.get(f.b, "holder");
  f.settle(f.b);
  (void)f.release(f.b, "holder");
  f.settle(f.b);
  (void)f.get(f.b, "holder");
  f.settle(f.b);
  while (late.wire.open() != 0) {  // the list, read after all three writes
    late.wire.answer(0);
  }
  assert_true(knows_of_a_lease(f, late));
  while (late.wire.tell()) {
    assert_true(knows_of_a_lease(f, late));
  }
  assert_true(late.core->leases("p", 9, f.now).at(0).token > f.b.verdicts.at(first).token);
}

// Only another server moves the clock on. This server's watch tells nothing of that.
void a_watch_is_deaf_that_does_not_tell_of_the_clock_of_others(void** state) {
  Fixture& f = of(state);
  (void)f.get(f.b, "holder");
  f.settle(f.b);
  f.settle(f.a);
  const size_t moves = f.a.wire.moves();
  for (int i = 0; i < 50 && f.a.wire.moves() == moves; i++) {
    f.pass(milliseconds(200));
    f.settle(f.b);
    f.a.core->tick(f.now);
    while (f.a.wire.open() != 0) {
      f.a.wire.answer(0);
    }
  }
  assert_true(f.a.wire.moves() > moves);
}

// The same with a watch that tells of it: the server does not move to another member.
void a_watch_that_tells_of_the_clock_of_others_is_believed(void** state) {
  Fixture& f = of(state);
  (void)f.get(f.b, "holder");
  f.settle(f.b);
  const size_t moves = f.a.wire.moves();
  for (int i = 0; i < 50; i++) {
    f.pass(milliseconds(200));
    f.settle(f.b);
    f.settle(f.a);
  }
  assert_int_equal(f.a.wire.moves(), moves);
}

}  // namespace
}  // namespace distributex::test

int main() {
  using namespace distributex::test;
  const CMUnitTest tests[] = {
      test_with(Fixture, a_lease_after_an_idle_time_has_all_its_time),
      test_with(Fixture, tokens_rise_over_an_offset_that_fell),
      test_with(Fixture, a_grant_that_others_came_before_is_not_told_after_a_freeze),
      test_with(Fixture, a_grant_that_others_came_before_is_told_when_nothing_is_frozen),
      test_with(Fixture, a_renewal_waits_for_what_its_owner_asked_before),
      test_with(Fixture, what_changes_before_the_watch_stands_is_listed),
      test_with(Fixture, a_list_that_is_older_than_the_watch_is_read_again),
      test_with(Fixture, events_of_what_the_list_has_change_nothing),
      test_with(Fixture, a_watch_is_deaf_that_does_not_tell_of_the_clock_of_others),
      test_with(Fixture, a_watch_that_tells_of_the_clock_of_others_is_believed),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
