// SPDX-License-Identifier: MIT
// The engine on the in-memory backend against the oracle: thousands of random
// requests, hang-ups, lost grants, pauses and reloads, and after each the same
// answers, leases and lines. What a slow or failing backend changes is in
// test_engine_random.cpp. An argument is the one seed to run.
#include <stdlib.h>

#include <algorithm>
#include <chrono>
#include <map>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "backend.h"
#include "config.h"
#include "engine.h"
#include "support_oracle.h"
#include "test.h"

using namespace distributex;
using namespace distributex::test;
using std::chrono::milliseconds;
using std::chrono::seconds;

namespace {

uint64_t first_seed = 1;
uint64_t last_seed = 60;
constexpr int steps = 3000;

std::string shown(const Owner& owner) { return owner.host + "/" + owner.id; }

std::string shown(const std::optional<Time>& at) {
  return at ? std::to_string(at->time_since_epoch().count()) : "never";
}

Config inmemory_config() {
  Config config;
  config.backend = "inmemory";
  return config;
}

class World {
 public:
  explicit World(uint64_t seed) : random_(seed) {}
  // What differs first, and nothing when all is as it must be.
  std::optional<std::string> run();

 private:
  uint64_t below(uint64_t n) { return random_() % n; }
  bool once_in(uint64_t n) { return below(n) == 0; }

  void step();
  void pass_time();
  void tick();
  void reload();
  void ask();
  Request request();
  void lose_or_deliver();
  void pump();
  void perform(const Effect& effect);

  void compare();
  void compare_answers();
  void compare_answer(const Answered& real, const OracleAnswer& wanted);
  void compare_pool(const std::string& pool);
  void wrong(std::string what) {
    if (wrong_.empty()) wrong_ = std::move(what);
  }

  std::mt19937_64 random_;
  Time now_{std::chrono::hours{50}};
  Config config_ = inmemory_config();
  Engine engine_;
  Oracle oracle_;
  std::unique_ptr<Backend> backend_ = make_backend(
      {.base = nullptr,
       .config = config_,
       .sink = {.decided = [this](OpId op, const Verdict& v) { engine_.decided(op, v, now_); },
                .changed =
                    [this](const std::string& pool) {
                      engine_.changed(pool, now_);
                      pump();
                    },
                .expired = [](const std::string&, const Lease&) {}},
       .wall_us = 1'700'000'000'000'000});
  std::vector<std::string> names_{"p0", "p1", "p2", "p3"};
  std::vector<Ticket> on_their_way_;  // grants told and not delivered yet
  std::vector<Ticket> tickets_;       // the last ones, answered or not
  std::vector<Answered> answers_;
  std::map<std::string, Token> last_token_;  // of each pool
  Ticket last_ticket_ = 0;
  bool pumping_ = false;
  std::string wrong_;
};

std::optional<std::string> World::run() {
  reload();
  for (int i = 0; i < steps && wrong_.empty(); ++i) {
    step();
    compare();
    if (!wrong_.empty()) wrong_ += " at step " + std::to_string(i);
  }
  engine_.drain(now_);
  oracle_.drain();
  pump();
  while (!on_their_way_.empty()) lose_or_deliver();
  compare();
  if (!engine_.idle()) wrong("not idle in the end");
  if (engine_.deadline()) wrong("something is due in the end");
  return wrong_.empty() ? std::nullopt : std::optional{wrong_};
}

void World::step() {
  if (once_in(4)) pass_time();
  if (once_in(200)) return reload();
  if (once_in(3) && !on_their_way_.empty()) return lose_or_deliver();
  if (once_in(12) && !tickets_.empty()) {
    const Ticket ticket = tickets_[below(tickets_.size())];
    std::erase(on_their_way_, ticket);
    engine_.cancel(ticket, now_);
    oracle_.gone(ticket, now_);
    return pump();
  }
  ask();
}

// Stops at each moment at which something ends.
void World::pass_time() {
  const Time until = now_ + milliseconds{below(once_in(10) ? 8000 : 700)};
  while (wrong_.empty()) {
    const auto due = oracle_.deadline();
    if (!due || *due > until) break;
    now_ = *due;
    const Time real = std::min(engine_.deadline().value_or(Time::max()),
                               backend_->deadline().value_or(Time::max()));
    if (real > now_) wrong("the deadline is late");
    tick();
    compare();
  }
  now_ = until;
  tick();
}

void World::tick() {
  backend_->tick(now_);
  engine_.tick(now_);
  pump();
  oracle_.advance(now_);
}

void World::reload() {
  constexpr uint64_t expires[] = {0, 1, 2, 3, 5};
  std::vector<PoolSpec> pools;
  for (const std::string& name : names_) {
    if (once_in(10)) continue;
    PoolSpec pool{.name = name, .expire = seconds{expires[below(5)]}, .servers = {}};
    pool.maxlocks = static_cast<uint32_t>(1 + below(3));
    if (once_in(4)) pool.servers = {"h0", "h1", "h2", "h4"};
    pools.push_back(std::move(pool));
  }
  const auto max_waiting = static_cast<uint32_t>(1 + below(once_in(3) ? 3 : 12));
  backend_->configure(pools);
  engine_.configure(pools, max_waiting, now_);
  oracle_.configure(pools, max_waiting, now_);
  pump();
}

void World::ask() {
  const Request asked = request();
  const Ticket ticket = ++last_ticket_;
  tickets_.push_back(ticket);
  if (tickets_.size() > 12) tickets_.erase(tickets_.begin());
  engine_.submit(ticket, asked, now_);
  oracle_.submit(ticket, asked, now_);
  pump();
}

Request World::request() {
  Request r;
  r.pool = once_in(50) ? "nowhere" : names_[below(names_.size())];
  r.owner = Owner{"h" + std::to_string(below(6)), once_in(3) ? "1" : ""};
  constexpr Verb verbs[] = {Verb::get,  Verb::wait,    Verb::wait,    Verb::wait,
                            Verb::wait, Verb::release, Verb::release, Verb::renew};
  r.verb = verbs[below(8)];
  if (once_in(3)) r.expire = seconds{1 + below(6)};
  if (r.verb == Verb::wait && !once_in(3)) r.timeout = milliseconds{below(8) * 500};
  const auto& leases = oracle_.leases(r.pool);
  if (r.verb == Verb::get || r.verb == Verb::wait || leases.empty() || once_in(4)) return r;
  auto lease = leases.begin();
  std::advance(lease, static_cast<ptrdiff_t>(below(leases.size())));
  r.owner = lease->owner;
  if (once_in(2)) r.token = oracle_.token_of(lease->grant) + (once_in(3) ? 1 : 0);
  return r;
}

void World::lose_or_deliver() {
  const size_t which = below(on_their_way_.size());
  const Ticket ticket = on_their_way_[which];
  on_their_way_.erase(on_their_way_.begin() + static_cast<ptrdiff_t>(which));
  if (once_in(3)) {
    engine_.cancel(ticket, now_);
    oracle_.gone(ticket, now_);
  } else {
    engine_.delivered(ticket, now_);
    oracle_.arrived(ticket);
  }
  pump();
}

void World::pump() {
  if (std::exchange(pumping_, true)) return;
  while (const auto effect = engine_.next()) perform(*effect);
  pumping_ = false;
}

void World::perform(const Effect& effect) {
  if (const auto* told = std::get_if<Answered>(&effect)) {
    answers_.push_back(*told);
    const Result result = told->answer.result;
    if (result == Result::granted || result == Result::held) on_their_way_.push_back(told->ticket);
  } else if (const auto* acquire = std::get_if<Acquire>(&effect)) {
    backend_->acquire(*acquire, now_);
  } else if (const auto* release = std::get_if<Release>(&effect)) {
    backend_->release(*release, now_);
  } else if (const auto* renew = std::get_if<Renew>(&effect)) {
    backend_->renew(*renew, now_);
  }
}

void World::compare() {
  compare_answers();
  for (const std::string& name : names_)
    if (wrong_.empty()) compare_pool(name);
}

// Of one event the answers of different pools may come in any order. A grant
// is older than the tickets that are told with it.
void World::compare_answers() {
  std::vector<Answered> real = std::exchange(answers_, {});
  std::vector<OracleAnswer> wanted = oracle_.take_answers();
  std::sort(real.begin(), real.end(), [](auto& a, auto& b) { return a.ticket < b.ticket; });
  std::sort(wanted.begin(), wanted.end(), [](auto& a, auto& b) { return a.ticket < b.ticket; });
  if (real.size() != wanted.size())
    return wrong(std::to_string(real.size()) + " answers instead of " +
                 std::to_string(wanted.size()));
  for (size_t i = 0; i < real.size(); ++i) compare_answer(real[i], wanted[i]);
}

void World::compare_answer(const Answered& real, const OracleAnswer& wanted) {
  const Answer& answer = real.answer;
  const std::string ticket = "ticket " + std::to_string(real.ticket) + ": ";
  if (real.ticket != wanted.ticket)
    return wrong(ticket + "answered instead of " + std::to_string(wanted.ticket));
  if (answer.result != wanted.result || answer.fault != wanted.fault)
    return wrong(ticket + "result " + std::to_string(static_cast<int>(answer.result)) +
                 " instead of " + std::to_string(static_cast<int>(wanted.result)));
  if (answer.result == Result::granted) {
    if (answer.token <= last_token_[answer.pool]) wrong(ticket + "the token does not rise");
    last_token_[answer.pool] = answer.token;
    oracle_.learn(wanted.grant, answer.token);
  }
  if (answer.token != oracle_.token_of(wanted.grant)) wrong(ticket + "another token");
  if (answer.expires_in != wanted.expires_in) wrong(ticket + "another end");
}

void World::compare_pool(const std::string& pool) {
  std::vector<std::string> real;
  std::vector<std::string> wanted;
  engine_.each_waiter(pool, [&](const Owner& owner, Time since) {
    real.push_back("waits " + shown(owner) + " since " + shown(since));
  });
  for (const OracleWaiter& w : oracle_.waiters(pool))
    wanted.push_back("waits " + shown(w.owner) + " since " + shown(w.since));
  for (const Lease& lease : backend_->leases(pool))
    real.push_back("holds " + shown(lease.owner) + " until " + shown(lease.ends));
  for (const OracleLease& lease : oracle_.leases(pool))
    wanted.push_back("holds " + shown(lease.owner) + " until " + shown(lease.ends));
  if (real == wanted) return;
  std::string text = pool + " is";
  for (const std::string& line : real) text += "\n  " + line;
  text += "\nand should be";
  for (const std::string& line : wanted) text += "\n  " + line;
  wrong(text);
}

bool agrees(uint64_t seed) {
  const auto wrong = std::make_unique<World>(seed)->run();
  if (wrong) print_error("seed %lu: %s\n", static_cast<unsigned long>(seed), wrong->c_str());
  return !wrong;
}

void answers_leases_and_lines_are_those_of_the_oracle(void**) {
  for (uint64_t seed = first_seed; seed <= last_seed; ++seed) assert_true(agrees(seed));
}

}  // namespace

int main(int argc, char** argv) {
  if (argc > 1) first_seed = last_seed = strtoull(argv[1], nullptr, 10);
  const CMUnitTest tests[] = {
      cmocka_unit_test(answers_leases_and_lines_are_those_of_the_oracle),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
