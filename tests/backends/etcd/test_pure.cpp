// SPDX-License-Identifier: MIT
// Parts of the etcd backend by themselves: values, the keeper's ends, the core on
// an etcd in memory where the test says what happens to each request.
#include "backends/etcd/core.h"
#include "support/fakeetcd.h"
#include "support/test.h"

namespace distributex::test {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::seconds;
using Kind = Verdict::Kind;

EtcdLeaseValue value_of(const std::string& note) {
  EtcdLeaseValue value;
  value.length = 2000;
  value.left = 1500;
  value.clock = 7;
  value.offset = 40;
  value.granted = 9;
  value.keeper = "s1";
  value.nonce = "n1";
  value.note = note;
  return value;
}

void a_lease_is_written_and_read_with_its_note(void**) {
  assert_text(format_lease(value_of("")), "dx1 2000 1500 7 40 9 s1 n1");
  assert_text(format_lease(value_of("tf a b")), "dx1 2000 1500 7 40 9 s1 n1 dGYgYSBi");
  const auto read = parse_lease("dx1 2000 1500 7 40 9 s1 n1 dGYgYSBi later words");
  assert_true(read.has_value());
  assert_text(read->note, "tf a b");
  assert_text(read->nonce, "n1");
  assert_int_equal(read->left, 1500);
}

void what_another_program_wrote_is_no_lease(void**) {
  for (const char* text : {"", "dx1", "dx2 2000 1500 7 40 9 s1 n1", "dx1 0 1500 7 40 9 s1 n1",
                           "dx1 2000 1500 7 40 9 s1 ", "dx1 2000 -1 7 40 9 s1 n1"}) {
    assert_that(!parse_lease(text), "%s", text);
  }
}

// --- the keeper ---

void a_failed_end_does_not_move_the_end_of_a_later_write(void**) {
  EtcdKeeper keeper([] { return uint64_t{0}; });
  const Time start = Time{} + hours(1);
  keeper.wrote("p", {"a", ""}, {.token = 5, .mod = 10, .ends = start});
  const auto due = keeper.due(start);
  assert_int_equal(due.size(), 1);
  keeper.wrote("p", {"a", ""}, {.token = 5, .mod = 12, .ends = start + seconds(5)});
  keeper.postpone(due[0], start + milliseconds(200));
  assert_true(keeper.due(start + seconds(4)).empty());
  assert_true(keeper.first() == start + seconds(5));
}

void another_servers_lease_ends_a_second_later_than_its_writer_ends_it(void**) {
  EtcdKeeper keeper([] { return uint64_t{0}; });
  const Time seen = Time{} + hours(1);
  EtcdLease lease{.owner = {"a", ""}, .value = value_of(""), .create = 3, .mod = 3, .began = seen};
  keeper.saw("p", lease);
  assert_true(*keeper.first() >= seen + milliseconds(1500) + seconds(1));
}

// --- the core ---

struct Fixture {
  Time now = Time{} + hours(1);
  FakeEtcd etcd;
  FakeWire wire{etcd, now};
  std::vector<Verdict> verdicts;
  uint64_t wall = 1'000'000;
  uint64_t dice = 0;
  std::unique_ptr<EtcdCore> core;

  bool begin() {
    EtcdSettings settings;
    settings.server = "s1";
    settings.random = [this] { return ++dice; };
    // The wall clock moves on while etcd answers.
    settings.wall_us = [this] { return wall += 1000; };
    BackendSink sink;
    sink.decided = [this](OpId, const Verdict& verdict) { verdicts.push_back(verdict); };
    sink.changed = [](const std::string&) {};
    sink.expired = [](const std::string&, const Lease&, uint64_t) {};
    core = std::make_unique<EtcdCore>(wire, settings, 1, sink, [](Time) {});
    core->configure({{.name = "p", .servers = {}}});
    return true;
  }
  // For ms milliseconds every request is carried out and answered at once.
  void run(int ms = 10) {
    for (int i = 0; i < ms; i++) {
      now += milliseconds(1);
      if (core->deadline().value_or(now) <= now) {
        core->tick(now);
      }
      while (wire.open() != 0) {
        wire.answer(0);
      }
      while (wire.tell()) {
      }
    }
  }
  void get(const std::string& host, int length_s) {
    core->acquire(
        {.op = 1, .pool = "p", .owner = {host, ""}, .slots = 1, .length = seconds(length_s)}, now);
  }
  void take_back(const std::string& host, Token token) {
    core->release({.op = 2,
                   .pool = "p",
                   .owner = {host, ""},
                   .token = token,
                   .slots = 1,
                   .undelivered = true},
                  now);
  }
  [[nodiscard]] bool has_lease(const std::string& host) const {
    return etcd.store().contains("distributex/l/p/" + host + "/");
  }
};

Fixture& of(void** state) { return fixture_of<Fixture>(state); }

// Leaves all attempts of the question under way to that fate until its time is over.
void run_out_of_time(Fixture& f, void (FakeWire::*fate)(size_t)) {
  const Time until = f.now + seconds(4);
  while (f.now < until && f.verdicts.back().kind != Kind::failed) {
    f.now += milliseconds(10);
    while (f.wire.open() != 0) {
      (f.wire.*fate)(0);
    }
    f.core->tick(f.now);
  }
  assert_true(f.verdicts.back().kind == Kind::failed);
}

void the_offset_is_raised_once_at_a_start(void** state) {
  Fixture& f = of(state);
  f.run();
  const uint64_t writes = f.etcd.writes();
  f.run(500);
  assert_int_equal(f.etcd.writes(), writes);
  assert_true(!f.core->trouble());
}

void a_taking_back_that_comes_late_leaves_a_renewed_lease_alone(void** state) {
  Fixture& f = of(state);
  f.run();
  f.get("a", 100);
  f.run();
  assert_true(f.verdicts.back().kind == Kind::granted);
  const Token token = f.verdicts.back().token;
  f.take_back("a", token);
  // No attempt to take the lease back arrives until its time is over. Before the next attempt
  // the owner renews, and so is told of the lease.
  run_out_of_time(f, &FakeWire::refuse);
  f.core->renew({.op = 3, .pool = "p", .owner = {"a", ""}, .token = token, .length = {}}, f.now);
  f.run(2000);
  assert_true(f.verdicts.back().kind == Kind::renewed);
  assert_true(f.has_lease("a"));
}

void a_taking_back_is_tried_until_it_is_done(void** state) {
  Fixture& f = of(state);
  f.run();
  f.get("a", 100);
  f.run();
  f.take_back("a", f.verdicts.back().token);
  const Time until = f.now + seconds(4);
  while (f.now < until) {
    f.now += milliseconds(10);
    while (f.wire.open() != 0) {
      f.wire.refuse(0);
    }
    f.core->tick(f.now);
  }
  assert_true(f.has_lease("a"));
  f.run(2000);
  assert_false(f.has_lease("a"));
}

// Until taking back is settled, its attempts may still arrive.
void whoever_is_told_of_a_lease_that_was_to_be_taken_back_keeps_it(void** state) {
  Fixture& f = of(state);
  f.run();
  f.get("a", 100);
  f.run();
  const Token token = f.verdicts.back().token;
  f.take_back("a", token);
  run_out_of_time(f, &FakeWire::lose);
  f.get("a", 100);
  f.run(300);
  assert_true(f.verdicts.back().kind == Kind::held && f.verdicts.back().token == token);
  while (f.wire.arrive_late(0)) {
  }
  f.run(2000);
  assert_true(f.has_lease("a"));
}

// A watch that began in the past would miss what was compacted.
void the_list_is_asked_for_when_the_watch_is_open_and_misses_nothing(void** state) {
  Fixture& f = of(state);
  f.core->tick(f.now);
  while (f.wire.open() != 0) {
    f.wire.answer(0);  // the probe whether etcd answers
  }
  assert_true(f.wire.is_watched());
  assert_true(f.wire.tell());
  assert_int_equal(f.wire.open(), 1);
  f.wire.carry_out(0);
  const std::string lease = "distributex/l/p/b/";
  (void)f.etcd.apply(
      {.compares = {}, .success = {EtcdPut{lease, format_lease(value_of(""))}}, .failure = {}});
  assert_true(f.wire.tell());
  f.wire.answer(0);
  assert_int_equal(f.core->held("p"), 1);
}

// A member without a majority keeps the watch open and tells nothing.
void a_watch_that_owes_a_change_is_opened_at_another_member(void** state) {
  Fixture& f = of(state);
  f.run();
  f.get("a", 100);
  while (f.wire.open() != 0) {
    f.wire.answer(0);
  }
  assert_true(f.verdicts.back().kind == Kind::granted);
  const uint64_t watches = f.core->world().counts.watches;
  f.now += milliseconds(1499);
  f.core->tick(f.now);
  assert_int_equal(f.wire.moves(), 0);
  f.now += milliseconds(2);
  f.core->tick(f.now);
  assert_int_equal(f.wire.moves(), 1);
  f.run();
  assert_int_equal(f.core->world().counts.watches, watches + 1);
  assert_int_equal(f.core->held("p"), 1);
}

// An etcd that was emptied may reach the revision that a server remembers of the clock.
void an_etcd_that_was_emptied_takes_no_grant_that_assumes_the_old_one(void** state) {
  Fixture& f = of(state);
  f.run();
  const uint64_t mod = f.core->world().clock.mod();
  f.etcd.wipe();
  while (f.etcd.revision() + 1 < mod) {
    (void)f.etcd.apply({.compares = {}, .success = {EtcdPut{"x", "y"}}, .failure = {}});
  }
  (void)f.etcd.apply(
      {.compares = {}, .success = {EtcdPut{"distributex/base", "77 0"}}, .failure = {}});
  assert_true(f.etcd.store().at("distributex/base").mod == mod);
  f.get("a", 100);
  while (f.wire.open() != 0 && f.verdicts.empty() && f.etcd.writes() < 50) {
    f.wire.answer(0);
  }
  assert_false(f.has_lease("a"));
}

}  // namespace
}  // namespace distributex::test

int main() {
  using namespace distributex::test;
  const CMUnitTest tests[] = {
      cmocka_unit_test(a_lease_is_written_and_read_with_its_note),
      cmocka_unit_test(what_another_program_wrote_is_no_lease),
      cmocka_unit_test(a_failed_end_does_not_move_the_end_of_a_later_write),
      cmocka_unit_test(another_servers_lease_ends_a_second_later_than_its_writer_ends_it),
      test_with(Fixture, the_offset_is_raised_once_at_a_start),
      test_with(Fixture, a_taking_back_that_comes_late_leaves_a_renewed_lease_alone),
      test_with(Fixture, a_taking_back_is_tried_until_it_is_done),
      test_with(Fixture, whoever_is_told_of_a_lease_that_was_to_be_taken_back_keeps_it),
      test_with(Fixture, the_list_is_asked_for_when_the_watch_is_open_and_misses_nothing),
      test_with(Fixture, a_watch_that_owes_a_change_is_opened_at_another_member),
      test_with(Fixture, an_etcd_that_was_emptied_takes_no_grant_that_assumes_the_old_one),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
