// SPDX-License-Identifier: MIT
// The witness is told first of what a client does, and last of what it hears.
#include "support/slow_world.h"

#include <algorithm>
#include <chrono>
#include <utility>
#include <variant>

#include "support/effects.h"

namespace distributex::test {

using std::chrono::milliseconds;
using std::chrono::seconds;

namespace {

constexpr int most_rounds = 2000;

}  // namespace

SlowWorld::SlowWorld(const Choices& choices)
    : choices_(choices), pace_(1 + below(3)), failures_(0) {
  constexpr uint64_t rates[] = {0, 0, 20, 100};
  failures_ = rates[below(4)];
  backend_.add_pool("ends", SlowBackend::Style::ends);
  backend_.add_pool("polls", SlowBackend::Style::polls);
  backend_.add_pool("watches", SlowBackend::Style::watches);
  reload(true);
}

std::optional<std::string> SlowWorld::run(int steps) {
  for (int i = 0; i < steps && choices_.any() && witness_.wrong().empty(); ++i) {
    step();
    if (!witness_.wrong().empty()) {
      return witness_.wrong() + " at step " + std::to_string(i);
    }
  }
  end();
  return witness_.wrong().empty() ? std::nullopt : std::optional{witness_.wrong()};
}

void SlowWorld::step() {
  if (once_in(pace_)) {
    work(any_name());
  }
  if (once_in(8)) {
    pass_time(milliseconds{400});
  }
  if (once_in(15)) {
    meet_strangers();
  }
  if (once_in(300)) {
    reload(false);
  }
  if (once_in(3)) {
    finish_reply();
  }
  if (once_in(20)) {
    hang_up();
  }
  if (once_in(3)) {
    ask();
  }
}

// A timer may be late: not every change of the time is a tick.
void SlowWorld::pass_time(Duration most) {
  now_ += most * static_cast<int64_t>(below(100)) / 100;
  if (!once_in(4)) {
    tick();
  }
}

void SlowWorld::tick() {
  for (const std::string& pool : backend_.tick(now_)) {
    engine_.changed(pool, now_);
  }
  engine_.tick(now_);
  pump();
  witness_.look_after_tick(now_);
  if (const auto due = engine_.deadline(); due && *due <= now_) {
    witness_.wrong("due after a tick");
  }
  look_at_lines();
}

// Whoever waits while a slot is free must be asked about in time.
void SlowWorld::look_at_lines() {
  engine_.each_pool([this](const PoolSpec& pool, size_t waiting) {
    if (waiting == 0 || backend_.is_busy(pool.name)) {
      return;
    }
    if (backend_.leases(pool.name).size() >= pool.maxlocks) {
      return;
    }
    const bool polls = backend_.style(pool.name) == SlowBackend::Style::polls;
    const Duration patience = polls ? Duration{SlowBackend::poll_interval} : milliseconds{1};
    const auto due = engine_.deadline();
    if (!due || *due > now_ + patience) {
      witness_.wrong(pool.name + ": a slot is free and nobody is asked");
    }
  });
}

void SlowWorld::reload(bool all) {
  constexpr uint64_t expires[] = {0, 1, 2, 5};
  pools_.clear();
  for (const std::string& name : names_) {
    if (!all && once_in(10)) {
      continue;
    }
    PoolSpec pool{.name = name, .expire = seconds{expires[below(4)]}, .servers = {}};
    pool.maxlocks = static_cast<uint32_t>(1 + below(3));
    if (!all && once_in(8)) {
      pool.servers = {"h0", "h1", "h2"};
    }
    pools_.push_back(std::move(pool));
  }
  engine_.configure(pools_, static_cast<uint32_t>(all ? 50 : 2 + below(20)), now_);
  pump();
  witness_.configured(pools_);
}

void SlowWorld::ask() {
  Command r;
  r.pool = any_name();
  r.owner = Owner{"h" + std::to_string(below(5)), {}};
  constexpr Verb verbs[] = {Verb::get,  Verb::wait,    Verb::wait,    Verb::wait,
                            Verb::wait, Verb::release, Verb::release, Verb::renew};
  r.verb = verbs[below(8)];
  if (once_in(3)) {
    r.expire = seconds{1 + below(5)};
  }
  if (r.verb == Verb::wait && !once_in(3)) {
    r.timeout = milliseconds{below(8) * 300};
  }
  const auto& leases = backend_.leases(r.pool);
  if ((r.verb == Verb::release || r.verb == Verb::renew) && !leases.empty() && !once_in(4)) {
    const Lease& lease = leases[below(leases.size())].lease;
    if (lease.owner.host[0] == 'h') {
      r.owner = lease.owner;
    }
    if (once_in(2)) {
      r.token = lease.token + below(2);
    }
  }
  submit(r);
}

void SlowWorld::submit(const Command& request) {
  const Ticket ticket = ++last_ticket_;
  witness_.submits(ticket, request, now_);
  engine_.submit(ticket, Command(request), now_);
  pump();
}

void SlowWorld::hang_up() {
  const auto& open = witness_.open();
  if (open.empty()) {
    return;
  }
  const Ticket ticket = std::next(open.begin(), static_cast<ptrdiff_t>(below(open.size())))->ticket;
  witness_.goes(ticket, now_);
  engine_.cancel(ticket, now_);
  pump();
}

// A reply on its way arrives, or its client has gone.
void SlowWorld::finish_reply() {
  const auto& list = witness_.on_their_way();
  if (list.empty()) {
    return;
  }
  const Ticket ticket = std::next(list.begin(), static_cast<ptrdiff_t>(below(list.size())))->ticket;
  if (once_in(3)) {
    witness_.goes(ticket, now_);
    engine_.cancel(ticket, now_);
  } else {
    witness_.gets(ticket, now_);
    engine_.delivered(ticket, now_);
  }
  pump();
}

void SlowWorld::work(const std::string& pool) {
  if (once_in(2)) {
    return backend_.look(pool, failures_ != 0 && once_in(failures_), now_);
  }
  hear(pool);
}

void SlowWorld::hear(const std::string& pool) {
  const auto verdict = backend_.take_verdict(pool);
  if (!verdict) {
    return;
  }
  witness_.hears(verdict->first, verdict->second);
  engine_.decided(verdict->first, verdict->second, now_);
  pump();
}

void SlowWorld::meet_strangers() {
  const std::string& pool = any_name();
  if (once_in(2)) {
    return backend_.stranger_comes(pool, 1, now_);
  }
  if (!backend_.stranger_leaves(pool)) {
    return;
  }
  engine_.changed(pool, now_);
  pump();
}

void SlowWorld::perform(const Answered& answered) { witness_.told(answered, now_); }

void SlowWorld::pump() {
  while (const auto effect = take_effect(engine_)) {
    std::visit([this](const auto& done) { perform(done); }, *effect);
  }
  witness_.look_at(engine_, now_);
}

// Nobody comes any more: all who wait must come to an answer, once time passes
// and holders release what would never end.
void SlowWorld::end() {
  failures_ = 0;
  reload(true);
  for (int round = 0; !end_round(); ++round) {
    if (round == most_rounds) {
      return witness_.wrong("somebody waits for ever");
    }
  }
  look_for_the_forgotten();
}

bool SlowWorld::end_round() {
  for (const std::string& pool : names_) {
    if (backend_.stranger_leaves(pool)) {
      engine_.changed(pool, now_);
    }
    while (backend_.is_busy(pool)) {
      backend_.look(pool, false, now_);
      hear(pool);
    }
  }
  now_ += milliseconds{700};
  tick();
  while (!witness_.on_their_way().empty()) {
    finish_reply();
  }
  if (!witness_.wrong().empty() || (engine_.idle() && witness_.open().empty())) {
    return true;
  }
  for (const std::string& pool : names_) {
    for (const SlowBackend::Known& known : std::vector(backend_.leases(pool))) {
      if (!known.lease.ends && known.lease.owner.host[0] == 'h') {
        submit({.verb = Verb::release,
                .pool = pool,
                .owner = known.lease.owner,
                .token = {},
                .expire = {},
                .timeout = {}});
      }
    }
  }
  return false;
}

void SlowWorld::look_for_the_forgotten() {
  if (!witness_.on_their_way().empty()) {
    witness_.wrong("a reply is still on its way");
  }
  if (engine_.deadline()) {
    witness_.wrong("something is due though nobody waits");
  }
  for (const std::string& pool : names_) {
    for (const SlowBackend::Known& known : backend_.leases(pool)) {
      if (known.lease.owner.host[0] == 'h' && !witness_.was_heard_of(known.lease.token)) {
        witness_.wrong("token " + std::to_string(known.lease.token) + ": nobody knows of it");
      }
    }
  }
}

}  // namespace distributex::test
