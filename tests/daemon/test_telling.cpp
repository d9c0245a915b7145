// SPDX-License-Identifier: MIT
// What is told when, over a backend that decides at once and stores later: the
// engine and the record are real, the disk is the test. First single rules, then
// a long random walk in which nothing may be told before it is stored.
#include "daemon/telling.h"

#include <map>
#include <memory>
#include <set>

#include "config/config.h"
#include "support/choices.h"
#include "support/test.h"

namespace distributex::test {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr const char* config_text = "pools: [{name: p, expire: 100}, {name: s, maxlocks: 2}]\n";

struct World {
  struct Held {
    Token token;
    Time ends;
    uint64_t stored;
  };

  Config config = std::get<Config>(parse_config(config_text, "test"));
  Time now{std::chrono::hours{10}};
  Engine engine{};
  Record record{config, 1};
  Telling telling{engine,
                  record,
                  {.answer = [this](Ticket t, const Answer& answer) { hear(t, answer); },
                   .peer = [](Ticket) { return std::string_view{"peer"}; }}};
  std::map<std::string, std::map<Owner, Held>> held{};
  std::map<std::string, uint64_t> changed{};
  Token last_token = 0;
  uint64_t gathering = 1;
  uint64_t stored = 0;
  bool in_trouble = false;
  std::string told{};
  std::string wrong{};
  std::map<Token, uint64_t> granted_with{};
  std::map<Token, uint64_t> ended_with{};
  std::map<Ticket, int> answers{};

  World() { engine.configure(config.pools, 1000, now); }

  void hear(Ticket ticket, const Answer& answer) {
    if (++answers[ticket] > 1) wrong = "a second answer";
    if (answer.stored > stored) wrong = "told before it is stored";
    if (answer.token && granted_with.at(answer.token) > stored) wrong = "a lease is not stored";
    if (answer.ended && ended_with.at(answer.ended) > stored) wrong = "an end is not stored";
    told += std::to_string(ticket) + " " + std::string(result_name(answer.result)) +
            (answer.token ? " " + std::to_string(answer.token) : "") + "; ";
    const bool is_lease = answer.result == Result::granted || answer.result == Result::held;
    if (is_lease) engine.delivered(ticket, now);
  }

  Verdict lease(Verdict::Kind kind, const Held& one, uint64_t number) const {
    Verdict verdict;
    verdict.kind = kind;
    verdict.token = one.token;
    verdict.ends = one.ends;
    verdict.stored = number;
    return verdict;
  }
  static Verdict plain(Verdict::Kind kind, uint64_t number) {
    Verdict verdict;
    verdict.kind = kind;
    verdict.stored = number;
    if (kind == Verdict::Kind::failed) verdict.reason = "full";
    return verdict;
  }

  Verdict decide(const Acquire& q) {
    auto& pool = held[q.pool];
    const auto it = pool.find(q.owner);
    if (it != pool.end() && (!in_trouble || it->second.stored <= stored))
      return lease(Verdict::Kind::held, it->second, it->second.stored);
    if (in_trouble) return plain(Verdict::Kind::failed, 0);
    if (q.find_only || pool.size() >= q.slots) return plain(Verdict::Kind::full, 0);
    changed[q.pool] = gathering;
    granted_with[++last_token] = gathering;
    const Held& one = pool[q.owner] = {last_token, now + *q.length, gathering};
    return lease(Verdict::Kind::granted, one, gathering);
  }
  Verdict decide(const Release& q) {
    auto& pool = held[q.pool];
    const auto it = pool.find(q.owner);
    if (in_trouble && !q.undelivered) return plain(Verdict::Kind::failed, 0);
    if (it == pool.end() || (q.token && *q.token != it->second.token))
      return plain(Verdict::Kind::not_held, changed[q.pool]);
    Verdict verdict = plain(Verdict::Kind::released, gathering);
    verdict.token = it->second.token;
    ended_with[verdict.token] = changed[q.pool] = gathering;
    pool.erase(it);
    return verdict;
  }
  Verdict decide(const Renew& q) {
    auto& pool = held[q.pool];
    const auto it = pool.find(q.owner);
    if (in_trouble) return plain(Verdict::Kind::failed, 0);
    if (it == pool.end()) return plain(Verdict::Kind::lost, changed[q.pool]);
    it->second.stored = changed[q.pool] = gathering;
    return lease(Verdict::Kind::renewed, it->second, gathering);
  }

  template <typename Question>
  void ask(const Question& question) {
    const Verdict verdict = decide(question);
    telling.decided(question.op, verdict, now);
    engine.decided(question.op, verdict, now);
  }

  void pump() {
    do {
      while (auto effect = engine.next()) {
        if (auto* answered = std::get_if<Answered>(&*effect)) {
          telling.answered(std::move(*answered), now);
        } else if (auto* release = std::get_if<Release>(&*effect)) {
          if (release->undelivered) telling.gives_back(*release);
          ask(*release);
        } else if (auto* acquire = std::get_if<Acquire>(&*effect)) {
          ask(*acquire);
        } else {
          ask(std::get<Renew>(*effect));
        }
      }
    } while (telling.send_thanks());
  }

  void submit(Ticket ticket, Verb verb, const char* pool, const char* host,
              std::optional<seconds> expire = {}) {
    Command command;
    command.verb = verb;
    command.pool = pool;
    command.owner = {host, ""};
    command.expire = expire;
    engine.submit(ticket, std::move(command), now);
    pump();
  }
  void leave(Ticket ticket) {
    if (const auto left = engine.cancel(ticket, now)) record.left(*left, "peer", now);
    telling.gone(ticket);
    pump();
  }
  // The disk has it.
  void store() {
    stored = gathering++;
    in_trouble = false;
    telling.stored(stored, now);
    for (const char* pool : {"p", "s"}) engine.changed(pool, now);
    pump();
  }
  void refuse() {
    in_trouble = true;
    telling.unstored("the disk is full", now);
    pump();
  }
  void expire(const char* pool, const char* host) {
    const auto node = held[pool].extract(Owner{host, ""});
    if (node.empty()) return;
    ended_with[node.mapped().token] = changed[pool] = gathering;
    telling.expired(pool, {.owner = node.key(), .token = node.mapped().token, .ends = now},
                    gathering, now);
    engine.changed(pool, now);
    pump();
  }
  std::string heard() {
    std::string taken = std::exchange(told, {});
    if (!taken.empty()) taken.resize(taken.size() - 2);
    return taken;
  }
  std::string events() const {
    std::string text;
    record.events().each_after(0, [&](const LockEvent& event) {
      text += (text.empty() ? "" : " ") + std::string(what_name(event.what));
    });
    return text;
  }
};

void a_grant_is_told_and_recorded_when_it_is_stored(void** state) {
  World& w = fixture_of<World>(state);
  w.submit(1, Verb::get, "p", "a");
  assert_text(w.heard(), "");
  assert_text(w.events(), "");
  assert_false(w.telling.is_idle());
  w.store();
  assert_text(w.heard(), "1 granted 1");
  assert_text(w.events(), "granted");
  assert_true(w.telling.is_idle());
}

void a_handover_is_stored_once_and_the_grant_is_told_first(void** state) {
  World& w = fixture_of<World>(state);
  w.submit(1, Verb::get, "p", "a");
  w.store();
  w.submit(2, Verb::wait, "p", "b");
  w.submit(3, Verb::release, "p", "a");
  assert_text(w.heard(), "1 granted 1");
  w.store();
  assert_text(w.heard(), "2 granted 2; 3 released");
}

void what_is_stored_already_is_told_at_once(void** state) {
  World& w = fixture_of<World>(state);
  w.submit(1, Verb::get, "p", "a");
  w.submit(2, Verb::get, "p", "a");
  assert_text(w.heard(), "");
  w.store();
  assert_text(w.heard(), "1 granted 1; 2 held 1");
  w.submit(3, Verb::get, "p", "a");
  w.submit(4, Verb::get, "p", "b");
  assert_text(w.heard(), "3 held 1; 4 busy");
}

void an_end_is_told_when_it_is_stored(void** state) {
  World& w = fixture_of<World>(state);
  w.submit(1, Verb::get, "p", "a");
  w.store();
  (void)w.heard();
  w.submit(2, Verb::renew, "p", "a");
  assert_text(w.heard(), "");
  w.store();
  assert_text(w.heard(), "2 renewed 1");
  w.expire("p", "a");
  w.submit(3, Verb::renew, "p", "a");
  w.submit(4, Verb::release, "p", "a");
  assert_text(w.heard(), "");
  assert_text(w.events(), "granted");
  w.store();
  assert_text(w.heard(), "3 lost; 4 not-held");
  assert_text(w.events(), "granted expired lost");
}

void a_client_that_leaves_is_recorded_in_order(void** state) {
  World& w = fixture_of<World>(state);
  w.submit(1, Verb::get, "p", "a");
  w.leave(1);
  assert_text(w.events(), "");
  assert_true(w.held["p"].empty() && w.telling.is_idle());
  w.store();
  assert_text(w.heard(), "");
  assert_text(w.events(), "granted undelivered");
}

void what_cannot_be_stored_is_refused_and_taken_back(void** state) {
  World& w = fixture_of<World>(state);
  w.submit(1, Verb::get, "p", "a");
  w.submit(2, Verb::get, "p", "a");
  w.submit(3, Verb::get, "s", "c");
  w.leave(3);
  w.refuse();
  assert_text(w.heard(), "1 unavailable; 2 unavailable");
  assert_true(w.held["p"].empty());
  w.submit(4, Verb::get, "p", "b");
  assert_text(w.heard(), "4 unavailable");
  w.store();
  // Nobody was told of the grants: neither they nor their ends are news.
  assert_text(w.events(), "refused refused refused");
  w.submit(5, Verb::get, "p", "b");
  w.store();
  assert_text(w.heard(), "5 granted 3");
}

void a_lease_that_ended_before_it_was_stored_is_refused(void** state) {
  World& w = fixture_of<World>(state);
  w.submit(1, Verb::get, "p", "a", seconds{5});
  w.now += seconds{6};
  w.expire("p", "a");
  w.store();
  assert_text(w.heard(), "1 unavailable");
  assert_text(w.events(), "refused");
}

// The time that is left is that of the moment at which it is told.
void the_rest_of_a_lease_is_reckoned_when_it_is_told(void**) {
  std::optional<Duration> left;
  World w;
  Telling telling(w.engine, w.record,
                  {.answer = [&](Ticket, const Answer& answer) { left = answer.expires_in; },
                   .peer = [](Ticket) { return std::string_view{}; }});
  Answered answered;
  answered.answer.result = Result::renewed;
  answered.answer.expires_in = seconds{10};
  answered.answer.stored = 1;
  telling.answered(answered, w.now);
  telling.stored(1, w.now + seconds{3});
  assert_true(left == Duration{seconds{7}});
}

void a_random_walk_tells_nothing_too_early(void**) {
  for (uint64_t seed = 1; seed <= 30; seed++) {
    World w;
    Choices dice(seed);
    const char* hosts[] = {"a", "b", "c", "d"};
    const char* pools[] = {"p", "s"};
    const Verb verbs[] = {Verb::get, Verb::wait, Verb::release, Verb::renew};
    std::set<Ticket> left;
    Ticket last = 0;
    for (int step = 0; step < 3000 && w.wrong.empty(); step++) {
      const char* pool = pools[dice.below(2)];
      const char* host = hosts[dice.below(4)];
      const uint64_t what = dice.below(20);
      if (what < 12) w.submit(++last, verbs[dice.below(4)], pool, host);
      if (what == 12 || what == 13) w.store();
      if (what == 14 && dice.once_in(4)) w.refuse();
      if (what == 15) w.expire(pool, host);
      if (what >= 16 && last > 0) {
        const Ticket ticket = 1 + dice.below(last);
        if (w.answers.contains(ticket)) continue;
        left.insert(ticket);
        w.leave(ticket);
      }
    }
    w.store();
    w.engine.drain(w.now);
    w.pump();
    w.store();
    assert_text(w.wrong, "");
    assert_true(w.telling.is_idle() && w.engine.idle());
    for (Ticket ticket = 1; ticket <= last; ticket++)
      assert_that(w.answers.contains(ticket) != left.contains(ticket), "seed %d ticket %d",
                  static_cast<int>(seed), static_cast<int>(ticket));
    // What was recorded as granted has ended, or is held.
    const Metrics& metrics = w.record.metrics();
    (void)metrics;
  }
}

}  // namespace
}  // namespace distributex::test

int main() {
  using namespace distributex::test;
  const CMUnitTest tests[] = {
      test_with(World, a_grant_is_told_and_recorded_when_it_is_stored),
      test_with(World, a_handover_is_stored_once_and_the_grant_is_told_first),
      test_with(World, what_is_stored_already_is_told_at_once),
      test_with(World, an_end_is_told_when_it_is_stored),
      test_with(World, a_client_that_leaves_is_recorded_in_order),
      test_with(World, what_cannot_be_stored_is_refused_and_taken_back),
      test_with(World, a_lease_that_ended_before_it_was_stored_is_refused),
      cmocka_unit_test(the_rest_of_a_lease_is_reckoned_when_it_is_told),
      cmocka_unit_test(a_random_walk_tells_nothing_too_early),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
