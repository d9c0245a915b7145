// SPDX-License-Identifier: MIT
// Every event is given to both; then all that can be seen of both is compared.
#include "support/model_world.h"

#include <algorithm>
#include <chrono>
#include <utility>
#include <variant>

#include "support/effects.h"

namespace distributex::test {

using std::chrono::milliseconds;
using std::chrono::seconds;

namespace {

std::string shown(const Owner& owner) { return owner.host + "/" + owner.id; }

std::string shown(const std::optional<Time>& at) {
  return at ? std::to_string(at->time_since_epoch().count()) : "never";
}

}  // namespace

std::optional<std::string> ModelWorld::run(int steps) {
  reload();
  for (int i = 0; i < steps && choices_.any() && wrong_.empty(); ++i) {
    step();
    compare();
    if (!wrong_.empty()) {
      wrong_ += " at step " + std::to_string(i);
    }
  }
  engine_.drain(now_);
  oracle_.drain();
  pump();
  while (!on_their_way_.empty()) {
    lose_or_deliver();
  }
  compare();
  if (!engine_.idle()) {
    wrong("not idle in the end");
  }
  if (engine_.deadline()) {
    wrong("something is due in the end");
  }
  return wrong_.empty() ? std::nullopt : std::optional{wrong_};
}

void ModelWorld::step() {
  if (once_in(4)) {
    pass_time();
  }
  if (once_in(200)) {
    return reload();
  }
  if (once_in(3) && !on_their_way_.empty()) {
    return lose_or_deliver();
  }
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
void ModelWorld::pass_time() {
  const Time until = now_ + milliseconds{below(once_in(10) ? 8000 : 700)};
  while (wrong_.empty()) {
    const auto due = oracle_.deadline();
    if (!due || *due > until) {
      break;
    }
    now_ = *due;
    const Time real = std::min(engine_.deadline().value_or(Time::max()),
                               backend_->deadline().value_or(Time::max()));
    if (real > now_) {
      wrong("the deadline is late");
    }
    tick();
    compare();
  }
  now_ = until;
  tick();
}

void ModelWorld::tick() {
  backend_->tick(now_);
  engine_.tick(now_);
  pump();
  oracle_.advance(now_);
}

void ModelWorld::reload() {
  constexpr uint64_t expires[] = {0, 1, 2, 3, 5};
  std::vector<PoolSpec> pools;
  for (const std::string& name : names_) {
    if (once_in(10)) {
      continue;
    }
    PoolSpec pool{.name = name, .expire = seconds{expires[below(5)]}, .servers = {}};
    pool.maxlocks = static_cast<uint32_t>(1 + below(3));
    if (once_in(4)) {
      pool.servers = {"h0", "h1", "h2", "h4"};
    }
    if (once_in(3)) {
      pool.min_hold = seconds{below(3)};
      pool.release_delay = seconds{below(3)};
      pool.lock_delay = seconds{below(3)};
      pool.freeze_after = static_cast<uint32_t>(below(4));
    }
    pools.push_back(std::move(pool));
  }
  const auto max_waiting = static_cast<uint32_t>(1 + below(once_in(3) ? 3 : 12));
  backend_->configure(pools);
  engine_.configure(pools, max_waiting, now_);
  oracle_.configure(pools, max_waiting, now_);
  pump();
}

void ModelWorld::ask() {
  const Command asked = request();
  const Ticket ticket = ++last_ticket_;
  tickets_.push_back(ticket);
  if (tickets_.size() > 12) {
    tickets_.erase(tickets_.begin());
  }
  engine_.submit(ticket, Command(asked), now_);
  oracle_.submit(ticket, asked, now_);
  pump();
}

// An operator's, now and then; a thaw more often than a freeze, so that the line moves.
Command ModelWorld::order() {
  Command r;
  constexpr Verb verbs[] = {Verb::freeze, Verb::thaw, Verb::thaw, Verb::evict};
  r.verb = verbs[below(4)];
  r.pool = once_in(4) && r.verb != Verb::evict ? "p*" : names_[below(names_.size())];
  r.reason = "so";
  r.by = "an operator";
  if (r.verb == Verb::freeze && once_in(2)) {
    r.lasts = milliseconds{500 * (1 + below(6))};
  }
  if (r.verb == Verb::evict) {
    const auto& leases = oracle_.leases(r.pool);
    r.token = leases.empty() ? 1 : oracle_.token_of(leases.front().grant);
  }
  return r;
}

Command ModelWorld::request() {
  if (once_in(16)) {
    return order();
  }
  Command r;
  r.pool = once_in(50) ? "nowhere" : names_[below(names_.size())];
  r.owner = Owner{"h" + std::to_string(below(6)), once_in(3) ? "1" : ""};
  constexpr Verb verbs[] = {Verb::get,  Verb::wait,    Verb::wait,    Verb::wait,
                            Verb::wait, Verb::release, Verb::release, Verb::renew};
  r.verb = verbs[below(8)];
  if (once_in(3)) {
    r.expire = seconds{1 + below(6)};
  }
  if (r.verb == Verb::release && once_in(2)) {
    r.outcome = once_in(2) ? Outcome::ok : Outcome::failed;
  }
  if (r.verb == Verb::wait && !once_in(3)) {
    r.timeout = milliseconds{below(8) * 500};
  }
  const auto& leases = oracle_.leases(r.pool);
  if (r.verb == Verb::get || r.verb == Verb::wait || leases.empty() || once_in(4)) {
    return r;
  }
  auto lease = leases.begin();
  std::advance(lease, static_cast<ptrdiff_t>(below(leases.size())));
  r.owner = lease->owner;
  if (once_in(2)) {
    r.token = oracle_.token_of(lease->grant) + (once_in(3) ? 1 : 0);
  }
  return r;
}

void ModelWorld::lose_or_deliver() {
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

void ModelWorld::pump() {
  if (std::exchange(pumping_, true)) {
    return;
  }
  while (const auto effect = take_effect(engine_)) {
    std::visit([this](const auto& done) { perform(done); }, *effect);
  }
  pumping_ = false;
}

void ModelWorld::perform(const Answered& told) {
  answers_.push_back(told);
  const Result result = told.answer.result;
  if (result == Result::granted || result == Result::held) {
    on_their_way_.push_back(told.ticket);
  }
}

void ModelWorld::compare() {
  compare_answers();
  for (const std::string& name : names_) {
    if (wrong_.empty()) {
      compare_pool(name);
    }
  }
}

// Of one event the answers of different pools may come in any order, and a ticket
// that is told with a grant may be older than the grant's. So the tokens of all
// grants are learned first.
void ModelWorld::compare_answers() {
  std::vector<Answered> real = std::exchange(answers_, {});
  std::vector<OracleAnswer> wanted = oracle_.take_answers();
  for (const Answered& told : real) {
    check_token(told);
  }
  std::sort(real.begin(), real.end(), [](auto& a, auto& b) { return a.ticket < b.ticket; });
  std::sort(wanted.begin(), wanted.end(), [](auto& a, auto& b) { return a.ticket < b.ticket; });
  if (real.size() != wanted.size()) {
    return wrong(std::to_string(real.size()) + " answers instead of " +
                 std::to_string(wanted.size()));
  }
  for (size_t i = 0; i < real.size(); ++i) {
    if (real[i].answer.result == Result::granted) {
      oracle_.learn(wanted[i].grant, real[i].answer.token);
    }
  }
  for (size_t i = 0; i < real.size(); ++i) {
    compare_answer(real[i], wanted[i]);
  }
}

// In the order in which the answers were given.
void ModelWorld::check_token(const Answered& told) {
  if (told.answer.result != Result::granted) {
    return;
  }
  Token& last = last_token_[told.answer.pool];
  if (told.answer.token <= last) {
    wrong("ticket " + std::to_string(told.ticket) + ": the token does not rise");
  }
  last = told.answer.token;
}

void ModelWorld::compare_answer(const Answered& real, const OracleAnswer& wanted) {
  const Answer& answer = real.answer;
  const std::string ticket = "ticket " + std::to_string(real.ticket) + ": ";
  if (real.ticket != wanted.ticket) {
    return wrong(ticket + "answered instead of " + std::to_string(wanted.ticket));
  }
  if (answer.result != wanted.result || answer.fault != wanted.fault) {
    return wrong(ticket + "result " + std::to_string(static_cast<int>(answer.result)) +
                 " instead of " + std::to_string(static_cast<int>(wanted.result)));
  }
  if (answer.token != oracle_.token_of(wanted.grant)) {
    wrong(ticket + "another token");
  }
  if (answer.expires_in != wanted.expires_in) {
    wrong(ticket + "another end");
  }
}

void ModelWorld::compare_pool(const std::string& pool) {
  std::vector<std::string> real;
  std::vector<std::string> wanted;
  engine_.each_waiter(pool, [&](const Owner& owner, Time since) {
    real.push_back("waits " + shown(owner) + " since " + shown(since));
  });
  for (const OracleWaiter& w : oracle_.waiters(pool)) {
    wanted.push_back("waits " + shown(w.owner) + " since " + shown(w.since));
  }
  for (const Lease& lease : backend_->leases(pool)) {
    real.push_back("holds " + shown(lease.owner) + " until " + shown(lease.ends));
  }
  for (const OracleLease& lease : oracle_.leases(pool)) {
    wanted.push_back("holds " + shown(lease.owner) + " until " + shown(lease.ends));
  }
  for (const Rest& rest : backend_->rests(pool)) {
    real.push_back("rests until " + shown(rest.ends));
  }
  for (const Time end : oracle_.rests(pool)) {
    wanted.push_back("rests until " + shown(end));
  }
  real.emplace_back(backend_->frozen(pool) ? "frozen" : "open");
  wanted.emplace_back(oracle_.is_frozen(pool) ? "frozen" : "open");
  if (real == wanted) {
    return;
  }
  std::string text = pool + " is";
  for (const std::string& line : real) {
    text += "\n  " + line;
  }
  text += "\nand should be";
  for (const std::string& line : wanted) {
    text += "\n  " + line;
  }
  wrong(text);
}

}  // namespace distributex::test
