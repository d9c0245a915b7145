// SPDX-License-Identifier: MIT
// Estimates from recent holding times, and the places of an engine's clients. The engine asks
// a backend in memory; the test sets the time.
#include <variant>

#include "backends/makers.h"
#include "config/config.h"
#include "daemon/sight.h"
#include "engine/engine.h"
#include "support/effects.h"
#include "support/silent_sink.h"
#include "support/test.h"
#include "watch/standing.h"

using namespace distributex;
using namespace distributex::test;
using std::chrono::milliseconds;
using std::chrono::seconds;

namespace {

// An engine with its backend, and the holding times that were recorded.
struct Fixture {
  std::vector<PoolSpec> pools{{.name = "one", .expire = seconds{100}, .maxlocks = 1, .servers = {}},
                              {.name = "ten", .expire = seconds{0}, .maxlocks = 10, .servers = {}}};
  Engine engine;
  Groups groups;
  Holdings holdings;
  std::unique_ptr<Backend> backend;
  Time now{std::chrono::hours{1000}};
  Ticket last_ticket = 0;

  Fixture() {
    backend = make_inmemory_backend({.base = nullptr,
                                     .config = {},
                                     .sink = silent_sink([this](OpId op, const Verdict& verdict) {
                                       engine.decided(op, verdict, now);
                                     }),
                                     .wall_us = 1});
    engine.configure(pools, 5000, now);
  }

  // Asks, and returns the answer, or nothing while the request waits.
  std::optional<Answer> ask(Verb verb, const std::string& pool, const Owner& owner) {
    std::optional<Answer> answer;
    engine.submit(
        ++last_ticket,
        {.verb = verb, .pool = pool, .owner = owner, .token = {}, .expire = {}, .timeout = {}},
        now);
    while (const auto effect = take_effect(engine)) {
      if (const auto* answered = std::get_if<Answered>(&*effect)) {
        answer = answered->answer;
        engine.delivered(answered->ticket, now);
      } else if (const auto* acquire = std::get_if<Acquire>(&*effect)) {
        backend->acquire(*acquire, now);
      } else if (const auto* release = std::get_if<Release>(&*effect)) {
        backend->release(*release, now);
      }
    }
    return answer;
  }

  Standing standing(const std::string& pool, const Owner& owner) {
    return standing_of(make_sight(engine, *backend, groups), holdings, pool, owner, now);
  }
};

struct Row {
  int mean;
  int oldest_held;
  uint32_t maxlocks;
  size_t place;
  int turn_in;
};

constexpr Row rows[] = {
    {60, 0, 1, 1, 60},                         // the holder has just begun
    {60, 20, 1, 1, 40},                        // it has had a third
    {60, 60, 1, 1, 0},                         // its time is up
    {60, 500, 1, 1, 0},                        // it takes longer than others did
    {60, 20, 1, 2, 100},                       // one more stands before
    {60, 20, 1, 11, 640}, {60, 20, 6, 1, 40},  // six slots: one comes free every ten seconds
    {60, 20, 6, 4, 70},   {60, 500, 6, 4, 30}, {0, 0, 1, 50, 0},
};

void turn_comes_when_all_before_have_had_theirs(void**) {
  for (const Row& row : rows) {
    const Duration found =
        turn_comes_in(seconds{row.mean}, seconds{row.oldest_held}, row.maxlocks, row.place);
    assert_that(found == seconds{row.turn_in}, "mean %d, held %d, slots %u, place %zu", row.mean,
                row.oldest_held, row.maxlocks, row.place);
  }
}

void mean_is_that_of_the_last_eight(void**) {
  Holdings holdings;
  assert_false(holdings.mean("one").has_value());
  holdings.ended("one", seconds{8});
  assert_true(holdings.mean("one") == seconds{8});
  holdings.ended("one", seconds{16});
  assert_true(holdings.mean("one") == seconds{12});
  for (int i = 0; i < 8; ++i) {
    holdings.ended("one", seconds{100});
  }
  assert_true(holdings.mean("one") == seconds{100});
  assert_false(holdings.mean("two").has_value());
}

void pools_that_are_gone_are_forgotten(void**) {
  Holdings holdings;
  holdings.ended("stays", seconds{1});
  holdings.ended("goes", seconds{1});
  holdings.keep_only({{.name = "stays", .expire = {}, .maxlocks = 1, .servers = {}},
                      {.name = "new", .expire = {}, .maxlocks = 1, .servers = {}}});
  assert_true(holdings.mean("stays").has_value());
  assert_false(holdings.mean("goes").has_value());
}

void newcomer_would_stand_behind_all_who_wait(void** state) {
  Fixture& f = fixture_of<Fixture>(state);
  assert_true(f.ask(Verb::get, "one", {"h", "1"})->result == Result::granted);
  assert_int_equal(*f.standing("one", {"x", ""}).position, 1);
  assert_false(f.ask(Verb::wait, "one", {"a", ""}).has_value());
  assert_false(f.ask(Verb::wait, "one", {"b", ""}).has_value());
  const Standing standing = f.standing("one", {"x", ""});
  assert_int_equal(standing.waiting, 2);
  assert_int_equal(*standing.position, 3);
  assert_false(standing.estimate.has_value());
}

void waiter_hears_its_own_place(void** state) {
  Fixture& f = fixture_of<Fixture>(state);
  assert_true(f.ask(Verb::get, "one", {"h", ""}).has_value());
  for (const char* host : {"a", "b", "c"}) {
    assert_false(f.ask(Verb::wait, "one", {host, ""}).has_value());
  }
  assert_int_equal(*f.standing("one", {"a", ""}).position, 1);
  assert_int_equal(*f.standing("one", {"c", ""}).position, 3);
}

void place_far_behind_is_not_looked_for(void** state) {
  Fixture& f = fixture_of<Fixture>(state);
  assert_true(f.ask(Verb::get, "one", {"h", ""}).has_value());
  for (int i = 1; i <= 1001; ++i) {
    assert_false(f.ask(Verb::wait, "one", {"w" + std::to_string(i), ""}).has_value());
  }
  f.holdings.ended("one", seconds{10});
  assert_int_equal(*f.standing("one", {"w1000", ""}).position, 1000);
  assert_false(f.standing("one", {"w1001", ""}).position.has_value());
  assert_false(f.standing("one", {"w1001", ""}).estimate.has_value());
  assert_int_equal(*f.standing("one", {"x", ""}).position, 1002);
}

void shows_the_eight_oldest_holders(void** state) {
  Fixture& f = fixture_of<Fixture>(state);
  for (int i = 0; i < 10; ++i) {
    assert_true(f.ask(Verb::get, "ten", {"h" + std::to_string(9 - i), ""}).has_value());
    f.now += seconds{1};
  }
  assert_true(f.ask(Verb::release, "ten", {"h8", ""})->result == Result::released);
  assert_true(f.ask(Verb::get, "ten", {"last", ""}).has_value());
  const Standing standing = f.standing("ten", {"x", ""});
  std::string hosts;
  for (const Standing::Holder& holder : standing.holders) {
    hosts += holder.owner.host + " ";
  }
  assert_text(hosts, "h9 h7 h6 h5 h4 h3 h2 h1 ");
  assert_true(standing.holders[0].held == seconds{10});
  assert_false(standing.holders[0].expires_in.has_value());
  f.now += seconds{30};
  assert_true(f.ask(Verb::get, "one", {"h", ""}).has_value());
  f.now += seconds{30};
  assert_true(f.standing("one", {"x", ""}).holders[0].expires_in == seconds{70});
}

void estimate_counts_from_the_oldest_holder(void** state) {
  Fixture& f = fixture_of<Fixture>(state);
  assert_true(f.ask(Verb::get, "one", {"h", ""}).has_value());
  f.holdings.ended("one", seconds{60});
  f.now += seconds{20};
  assert_true(f.standing("one", {"x", ""}).estimate == seconds{40});
  assert_false(f.ask(Verb::wait, "one", {"a", ""}).has_value());
  assert_true(f.standing("one", {"x", ""}).estimate == seconds{100});
  assert_true(f.standing("one", {"a", ""}).estimate == seconds{40});
}

void release_tells_how_long_it_was_held(void** state) {
  Fixture& f = fixture_of<Fixture>(state);
  const auto granted = f.ask(Verb::get, "one", {"h", ""});
  f.now += seconds{20};
  const auto released = f.ask(Verb::release, "one", {"h", ""});
  assert_true(released->held == seconds{20});
  assert_int_equal(released->ended, granted->token);
  assert_false(f.ask(Verb::release, "one", {"h", ""})->held.has_value());
}

}  // namespace

int main() {
  const CMUnitTest tests[] = {
      cmocka_unit_test(turn_comes_when_all_before_have_had_theirs),
      cmocka_unit_test(mean_is_that_of_the_last_eight),
      cmocka_unit_test(pools_that_are_gone_are_forgotten),
      test_with(Fixture, newcomer_would_stand_behind_all_who_wait),
      test_with(Fixture, waiter_hears_its_own_place),
      test_with(Fixture, place_far_behind_is_not_looked_for),
      test_with(Fixture, shows_the_eight_oldest_holders),
      test_with(Fixture, estimate_counts_from_the_oldest_holder),
      test_with(Fixture, release_tells_how_long_it_was_held),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
