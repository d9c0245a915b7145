// SPDX-License-Identifier: MIT
// The in-memory backend by itself: every question and what comes of it as
// text, at times that the test chooses. Tokens are shown as their distance from
// the wall clock at the start. Whom the engine asks for is not its business.
#include <stdio.h>

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "backends/makers.h"
#include "config/config.h"
#include "support/test.h"

using namespace distributex;
using namespace distributex::test;
using std::chrono::milliseconds;
using std::chrono::seconds;

namespace {

constexpr uint64_t wall = 1'700'000'000'000'000;
const std::optional<seconds> for_ever;

struct Memory {
  std::unique_ptr<Backend> backend;
  const Time start{std::chrono::hours{100}};
  Time now = start;
  Token seed = wall;
  Token token = 0;  // of the last verdict
  OpId last_op = 0;
  std::string text;  // what came since it was taken
  std::string all;   // what a test gathers
  std::vector<Lease> leases;

  Memory() { restart(wall); }

  void restart(uint64_t wall_us) {
    BackendSink sink{
        .decided = [this](OpId op, const Verdict& verdict) { show(op, verdict); },
        .changed = [this](const std::string& pool) { text += "changed " + pool + "; "; },
        .expired =
            [this](const std::string& pool, const Lease& lease, uint64_t) {
              text += "expired " + pool + " " + lease.owner.host + " " + shown(lease.token) + "; ";
            },
        .happened = [](const Happening&, uint64_t) {},
        .stored = {},
        .unstored = {}};
    backend =
        make_inmemory_backend({.base = nullptr, .config = {}, .sink = sink, .wall_us = wall_us});
  }

  std::string shown(Token t) const { return std::to_string(t - seed); }
  std::string shown(Time t) const {
    char digits[32];
    snprintf(digits, sizeof digits, "%.10g", std::chrono::duration<double>(t - start).count());
    return digits;
  }

  void show(OpId op, const Verdict& verdict) {
    constexpr const char* kinds[] = {"granted",  "held",    "full", "released",
                                     "not_held", "renewed", "lost", "failed"};
    if (op != last_op) {
      text += "an answer to another question: ";
    }
    text += kinds[static_cast<int>(verdict.kind)];
    if (verdict.token) {
      text += " " + shown(verdict.token);
    }
    if (verdict.ends) {
      text += " ends=" + shown(*verdict.ends);
    }
    if (verdict.retry_at) {
      text += " retry=" + shown(*verdict.retry_at);
    }
    if (verdict.since) {
      text += " since=" + shown(*verdict.since);
    }
    text += "; ";
    token = verdict.token;
  }

  std::string take_text() {
    std::string taken = std::move(text);
    text.clear();
    if (!taken.empty()) {
      taken.resize(taken.size() - 2);
    }
    return taken;
  }

  void at(double when) { now = start + milliseconds{static_cast<int64_t>(when * 1000)}; }

  std::string get(const char* pool, const char* host, uint32_t slots = 1,
                  std::optional<seconds> length = seconds{60}, bool find_only = false) {
    backend->acquire({.op = ++last_op,
                      .pool = pool,
                      .owner = {host, {}},
                      .slots = slots,
                      .length = length,
                      .find_only = find_only},
                     now);
    return take_text();
  }

  std::string find(const char* pool, const char* host, uint32_t slots = 1) {
    return get(pool, host, slots, seconds{60}, true);
  }

  std::string release(const char* pool, const char* host, std::optional<Token> by = {}) {
    backend->release({.op = ++last_op, .pool = pool, .owner = {host, {}}, .token = by, .slots = 1},
                     now);
    return take_text();
  }

  std::string renew(const char* pool, const char* host, std::optional<Token> by = {},
                    std::optional<seconds> length = {}) {
    backend->renew({.op = ++last_op,
                    .pool = pool,
                    .owner = {host, {}},
                    .token = by,
                    .length = length,
                    .slots = 1},
                   now);
    return take_text();
  }

  std::string tick() {
    backend->tick(now);
    return take_text();
  }

  std::string due() const {
    const auto at = backend->deadline();
    return at ? shown(*at) : "never";
  }

  std::string listed(const char* pool) {
    leases = backend->leases(pool);
    std::string list;
    for (const Lease& lease : leases) {
      list += lease.owner.host + " since=" + shown(lease.since) +
              (lease.ends ? " ends=" + shown(*lease.ends) : "") + "; ";
    }
    if (!list.empty()) {
      list.resize(list.size() - 2);
    }
    return list;
  }
};

void grants_until_all_slots_are_taken(void** state) {
  auto& m = fixture_of<Memory>(state);
  assert_text(m.get("p", "a", 2), "granted 1 ends=60 retry=0");
  m.at(5);
  assert_text(m.get("p", "b", 2), "granted 2 ends=65 retry=60");
  assert_text(m.get("p", "c", 2), "full retry=60");
  assert_text(m.release("p", "a"), "released 1 since=0");
  assert_text(m.get("p", "c", 2), "granted 3 ends=65 retry=65");
}

void pools_are_apart(void** state) {
  auto& m = fixture_of<Memory>(state);
  assert_text(m.get("p", "a"), "granted 1 ends=60 retry=60");
  assert_text(m.get("q", "b"), "granted 2 ends=60 retry=60");
  assert_text(m.release("q", "a"), "not_held");
  assert_text(m.get("q", "a"), "full retry=60");
}

void holder_finds_its_lease_and_takes_no_second_slot(void** state) {
  auto& m = fixture_of<Memory>(state);
  assert_text(m.get("p", "a", 2), "granted 1 ends=60 retry=0");
  m.at(10);
  assert_text(m.get("p", "a", 2, seconds{5}), "held 1 ends=60");
  assert_text(m.find("p", "a", 2), "held 1 ends=60");
  assert_text(m.get("p", "b", 2), "granted 2 ends=70 retry=60");
  assert_text(m.release("p", "a"), "released 1 since=0");
  assert_text(m.find("p", "a", 2), "full retry=70");
}

void find_only_takes_no_free_slot(void** state) {
  auto& m = fixture_of<Memory>(state);
  assert_text(m.find("p", "a"), "full");
  assert_text(m.listed("p"), "");
}

void id_is_part_of_the_owner(void** state) {
  auto& m = fixture_of<Memory>(state);
  assert_text(m.get("p", "a"), "granted 1 ends=60 retry=60");
  m.backend->acquire(
      {.op = ++m.last_op, .pool = "p", .owner = {"a", "1"}, .slots = 1, .length = {}}, m.now);
  assert_text(m.take_text(), "full retry=60");
}

void each_lease_ends_on_its_own_clock_and_never_early(void** state) {
  auto& m = fixture_of<Memory>(state);
  m.get("p", "a", 9, seconds{10});
  m.at(1);
  m.get("p", "b", 9, seconds{3});
  m.get("q", "a", 9, seconds{20});
  assert_text(m.due(), "4");
  m.at(3.999);
  assert_text(m.tick(), "");
  assert_text(m.listed("p"), "a since=0 ends=10; b since=1 ends=4");
  m.at(4);
  assert_text(m.tick(), "expired p b 2; changed p");
  assert_text(m.due(), "10");
  m.at(30);
  assert_text(m.tick(), "expired p a 1; changed p; expired q a 3; changed q");
  assert_text(m.due(), "never");
  assert_text(m.listed("p"), "");
}

void leases_of_one_moment_end_together(void** state) {
  auto& m = fixture_of<Memory>(state);
  m.get("p", "a", 9, seconds{10});
  m.get("p", "b", 9, seconds{10});
  m.at(10);
  m.all = m.tick();
  assert_that(m.all == "expired p a 1; expired p b 2; changed p" ||
                  m.all == "expired p b 2; expired p a 1; changed p",
              "it is %s", m.all.c_str());
  assert_text(m.due(), "never");
}

void lease_that_is_over_counts_no_more_though_nobody_ticked(void** state) {
  auto& m = fixture_of<Memory>(state);
  m.get("p", "a");
  m.at(60);
  assert_text(m.get("p", "b"), "expired p a 1; granted 2 ends=120 retry=120");
  m.at(120);
  assert_text(m.renew("p", "b"), "expired p b 2; lost");
  m.get("p", "b");
  m.at(180);
  assert_text(m.release("p", "b"), "expired p b 3; not_held");
  m.get("p", "b");
  m.at(240);
  assert_text(m.get("p", "b"), "expired p b 4; granted 5 ends=300 retry=300");
  assert_text(m.due(), "300");
}

void lease_without_a_length_never_ends(void** state) {
  auto& m = fixture_of<Memory>(state);
  assert_text(m.get("p", "a", 1, for_ever), "granted 1");
  assert_text(m.due(), "never");
  m.at(1e9);
  assert_text(m.tick(), "");
  assert_text(m.get("p", "b"), "full");
  assert_text(m.renew("p", "a", {}, seconds{5}), "renewed 1");
  assert_text(m.due(), "never");
}

void release_needs_the_right_token_or_none(void** state) {
  auto& m = fixture_of<Memory>(state);
  m.get("p", "a");
  assert_text(m.release("p", "a", m.token + 1), "not_held");
  assert_text(m.release("p", "b", m.seed + 1), "not_held");
  assert_text(m.listed("p"), "a since=0 ends=60");
  assert_text(m.release("p", "a", m.seed + 1), "released 1 since=0");
  assert_text(m.release("p", "a", m.seed + 1), "not_held");
  assert_text(m.due(), "never");
  m.get("p", "a");
  assert_text(m.release("p", "a"), "released 2 since=0");
  assert_text(m.release("p", "a"), "not_held");
  assert_text(m.release("nowhere", "a"), "not_held");
}

void renewal_starts_the_time_anew(void** state) {
  auto& m = fixture_of<Memory>(state);
  m.get("p", "a", 1, seconds{10});
  m.at(8);
  assert_text(m.renew("p", "a"), "renewed 1 ends=18");
  assert_text(m.due(), "18");
  m.at(10);
  assert_text(m.tick(), "");
  assert_text(m.renew("p", "a", m.seed + 1, seconds{30}), "renewed 1 ends=40");
  m.at(20);
  assert_text(m.renew("p", "a"), "renewed 1 ends=50");
  assert_text(m.renew("p", "a", {}, seconds{2}), "renewed 1 ends=22");
  assert_text(m.due(), "22");
  assert_text(m.get("p", "b"), "full retry=22");
  m.at(22);
  assert_text(m.tick(), "expired p a 1; changed p");
}

void renewal_needs_the_right_token_or_none(void** state) {
  auto& m = fixture_of<Memory>(state);
  m.get("p", "a");
  m.at(5);
  assert_text(m.renew("p", "a", m.seed + 2), "lost");
  assert_text(m.renew("p", "b"), "lost");
  assert_text(m.renew("nowhere", "a"), "lost");
  assert_text(m.listed("p"), "a since=0 ends=60");
  assert_text(m.renew("p", "a", m.seed + 1), "renewed 1 ends=65");
}

void fewer_slots_stop_new_grants_only(void** state) {
  auto& m = fixture_of<Memory>(state);
  m.get("p", "a", 3);
  m.get("p", "b", 3);
  m.get("p", "c", 3);
  assert_text(m.get("p", "d", 2), "full retry=60");
  assert_text(m.get("p", "a", 1), "held 1 ends=60");
  assert_text(m.renew("p", "b"), "renewed 2 ends=60");
  assert_text(m.release("p", "c"), "released 3 since=0");
  assert_text(m.get("p", "d", 2), "full retry=60");
  assert_text(m.release("p", "b"), "released 2 since=0");
  assert_text(m.get("p", "d", 2), "granted 4 ends=60 retry=60");
}

void leases_of_a_removed_pool_stay(void** state) {
  auto& m = fixture_of<Memory>(state);
  m.get("p", "a");
  m.backend->configure({});
  m.backend->configure({PoolSpec{.name = "p", .expire = seconds{5}, .maxlocks = 1, .servers = {}}});
  assert_text(m.get("p", "b"), "full retry=60");
  assert_text(m.get("p", "a"), "held 1 ends=60");
}

void leases_are_listed_in_the_order_of_their_grants(void** state) {
  auto& m = fixture_of<Memory>(state);
  m.get("p", "c", 9);
  m.at(1);
  m.get("p", "a", 9, for_ever);
  m.at(2);
  m.get("p", "b", 9);
  assert_text(m.listed("p"), "c since=0 ends=60; a since=1; b since=2 ends=62");
  assert_text(m.listed("q"), "");
}

void tokens_rise_across_pools_and_restarts(void** state) {
  auto& m = fixture_of<Memory>(state);
  for (const char* pool : {"p", "q", "p", "q"}) {
    m.get(pool, "a");
    m.all += m.shown(m.token) + " ";
    m.release(pool, "a");
  }
  assert_text(m.all, "1 2 3 4 ");
  m.restart(wall + 1000);
  assert_text(m.get("p", "a"), "granted 1001 ends=60 retry=60");
}

void tokens_stay_below_two_to_the_53_whatever_the_wall_clock_says(void** state) {
  auto& m = fixture_of<Memory>(state);
  for (const uint64_t wall_us : {uint64_t{0}, uint64_t{1} << 53, UINT64_MAX}) {
    m.restart(wall_us);
    m.get("p", "a");
    assert_true(m.token > 0);
    assert_true(m.token < (uint64_t{1} << 53) - 1'000'000'000'000);
  }
}

void it_is_never_in_trouble_and_always_up_to_date(void** state) {
  auto& m = fixture_of<Memory>(state);
  assert_false(m.backend->trouble().has_value());
  m.backend->survey([&m] { m.text += "ready; "; }, m.now);
  assert_text(m.take_text(), "ready");
}

}  // namespace

int main() {
  const CMUnitTest tests[] = {
      test_with(Memory, grants_until_all_slots_are_taken),
      test_with(Memory, pools_are_apart),
      test_with(Memory, holder_finds_its_lease_and_takes_no_second_slot),
      test_with(Memory, find_only_takes_no_free_slot),
      test_with(Memory, id_is_part_of_the_owner),
      test_with(Memory, each_lease_ends_on_its_own_clock_and_never_early),
      test_with(Memory, leases_of_one_moment_end_together),
      test_with(Memory, lease_that_is_over_counts_no_more_though_nobody_ticked),
      test_with(Memory, lease_without_a_length_never_ends),
      test_with(Memory, release_needs_the_right_token_or_none),
      test_with(Memory, renewal_starts_the_time_anew),
      test_with(Memory, renewal_needs_the_right_token_or_none),
      test_with(Memory, fewer_slots_stop_new_grants_only),
      test_with(Memory, leases_of_a_removed_pool_stay),
      test_with(Memory, leases_are_listed_in_the_order_of_their_grants),
      test_with(Memory, tokens_rise_across_pools_and_restarts),
      test_with(Memory, tokens_stay_below_two_to_the_53_whatever_the_wall_clock_says),
      test_with(Memory, it_is_never_in_trouble_and_always_up_to_date),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
