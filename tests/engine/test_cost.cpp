// SPDX-License-Identifier: MIT
// What one event may set in motion when ten thousand pools or waiters are
// there: counted in effects, not in time.
#include <chrono>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "engine/engine.h"
#include "support/effects.h"
#include "support/test.h"

using namespace distributex;
using namespace distributex::test;
using std::chrono::seconds;

namespace {

constexpr uint32_t many = 10000;

// The backend of these tests says full to everybody.
struct Crowd {
  Engine engine;
  Time now{std::chrono::hours{50}};
  Ticket last = 0;
  OpId asked = 0;

  void configure(uint32_t pools) {
    std::vector<PoolSpec> specs;
    for (uint32_t i = 0; i < pools; ++i) {
      specs.push_back({.name = std::to_string(i), .expire = seconds{60}, .servers = {}});
    }
    engine.configure(std::move(specs), many, now);
  }

  Ticket submit(Verb verb, uint32_t pool, const std::string& host) {
    Command request{.verb = verb,
                    .pool = std::to_string(pool),
                    .owner = {host, {}},
                    .token = {},
                    .expire = {},
                    .timeout = {}};
    if (verb == Verb::wait) {
      request.timeout = seconds{100 + pool};
    }
    engine.submit(++last, std::move(request), now);
    return last;
  }

  // Takes all effects that the engine has now, and counts them.
  size_t count() {
    size_t effects = 0;
    for (; auto effect = take_effect(engine); ++effects) {
      if (const auto* acquire = std::get_if<Acquire>(&*effect)) {
        asked = acquire->op;
      }
      if (const auto* release = std::get_if<Release>(&*effect)) {
        asked = release->op;
      }
    }
    return effects;
  }

  size_t decide(Verdict::Kind kind, std::optional<Time> retry_at = {}) {
    Verdict verdict;
    verdict.kind = kind;
    verdict.token = last;
    verdict.retry_at = retry_at;
    engine.decided(asked, verdict, now);
    return count();
  }

  void park(uint32_t pool, const std::string& host) {
    submit(Verb::wait, pool, host);
    count();
    decide(Verdict::Kind::full, now + seconds{1 + pool});
  }
};

void event_in_a_long_line_has_few_effects(void** state) {
  auto& crowd = fixture_of<Crowd>(state);
  crowd.configure(1);
  for (uint32_t i = 0; i < many; ++i) {
    crowd.park(0, "h" + std::to_string(i));
  }
  crowd.submit(Verb::get, 0, "late");
  assert_int_equal(crowd.count(), 1);
  assert_int_equal(crowd.decide(Verdict::Kind::full), 1);
  crowd.submit(Verb::release, 0, "holder");
  assert_int_equal(crowd.count(), 1);
  assert_int_equal(crowd.decide(Verdict::Kind::released),
                   2);  // the release's answer, and a question for the head
  assert_int_equal(crowd.decide(Verdict::Kind::granted), 1);
  crowd.engine.cancel(1, crowd.now);
  assert_int_equal(crowd.count(), 1);  // the grant is given back
  assert_int_equal(crowd.decide(Verdict::Kind::released), 1);
  assert_int_equal(crowd.decide(Verdict::Kind::full), 0);
  crowd.engine.changed("0", crowd.now);
  assert_int_equal(crowd.count(), 1);
  assert_int_equal(crowd.decide(Verdict::Kind::full), 0);
  crowd.engine.cancel(many / 2, crowd.now);
  assert_int_equal(crowd.count(), 0);
}

void event_of_one_pool_leaves_the_others_alone(void** state) {
  auto& crowd = fixture_of<Crowd>(state);
  crowd.configure(many);
  for (uint32_t i = 0; i < many; ++i) {
    crowd.park(i, "h");
  }
  crowd.engine.tick(crowd.now);
  assert_int_equal(crowd.count(), 0);
  crowd.now += seconds{1};
  crowd.engine.tick(crowd.now);
  assert_int_equal(crowd.count(), 1);
  assert_int_equal(crowd.decide(Verdict::Kind::full), 0);
  crowd.submit(Verb::release, many - 1, "holder");
  assert_int_equal(crowd.count(), 1);
  assert_int_equal(crowd.decide(Verdict::Kind::released), 2);
  assert_int_equal(crowd.decide(Verdict::Kind::granted), 1);
  crowd.engine.changed("7", crowd.now);
  assert_int_equal(crowd.count(), 1);
}

void time_passes_for_those_only_whose_time_has_come(void** state) {
  auto& crowd = fixture_of<Crowd>(state);
  crowd.configure(many);
  for (uint32_t i = 0; i < many; ++i) {
    crowd.submit(Verb::wait, i, "h");
    crowd.count();
    crowd.decide(Verdict::Kind::full);
  }
  crowd.now += seconds{100};
  assert_true(crowd.engine.deadline() == crowd.now);
  crowd.engine.tick(crowd.now);
  assert_int_equal(crowd.count(), 1);
  crowd.now += seconds{3};
  crowd.engine.tick(crowd.now);
  assert_int_equal(crowd.count(), 3);
  assert_true(crowd.engine.deadline() == crowd.now + seconds{1});
}

}  // namespace

int main() {
  const CMUnitTest tests[] = {
      test_with(Crowd, event_in_a_long_line_has_few_effects),
      test_with(Crowd, event_of_one_pool_leaves_the_others_alone),
      test_with(Crowd, time_passes_for_those_only_whose_time_has_come),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
