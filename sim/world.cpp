// SPDX-License-Identifier: MIT
// A ticket holds its client's number, so answers find their way without a map.
#include "sim/world.h"

#include <algorithm>
#include <utility>
#include <variant>

namespace distributex::sim {

namespace {

double in_seconds(Duration length) { return std::chrono::duration<double>(length).count(); }

}  // namespace

World::World(const PoolSpec& row, Bounds bounds, Clients clients)
    : clients_(std::move(clients)),
      backend_(make_inmemory_backend(
          {.base = nullptr,
           .config = {},
           .sink = {.decided = [this](OpId op, const Verdict& v) { engine_.decided(op, v, now_); },
                    .changed = [this](const std::string& pool) { engine_.changed(pool, now_); },
                    .expired = [](const std::string&, const Lease&, uint64_t) {},
                    .happened = [](const Happening&, uint64_t) {},
                    .stored = {},
                    .unstored = {}},
           .wall_us = 1'700'000'000'000'000})) {
  backend_->configure({row});
  engine_.configure({row}, bounds, now_);
  start_counting();
}

void World::at(Time when, uint32_t who, uint8_t what) {
  agenda_.push({std::max(when, now_), ++events_, who, what});
}

void World::submit(uint32_t who, Command&& command) {
  const std::string pool = command.pool;
  const Ticket ticket = ++requests_ * most_clients + who;
  engine_.submit(ticket, std::move(command), now_);
  pump();
  look_at(pool);
}

void World::pump() {
  if (std::exchange(pumping_, true)) {
    return;
  }
  while (Effect* first = engine_.first()) {
    Effect effect = std::move(*first);
    engine_.drop_first();
    std::visit([this](auto& done) { perform(done); }, effect);
  }
  pumping_ = false;
}

// No answer is lost on its way here.
void World::perform(Answered& told) {
  const Result result = told.answer.result;
  if (result == Result::granted || result == Result::held) {
    engine_.delivered(told.ticket, now_);
  }
  look_at(told.answer.pool);
  clients_.answered(static_cast<uint32_t>(told.ticket % most_clients), told.answer);
}

void World::look_at(const std::string& name) {
  Pool& pool = pools_[name];
  const Pool seen{engine_.waiting(name), backend_->held(name)};
  parked_ += seen.parked - pool.parked;
  held_ += seen.held - pool.held;
  pool = seen;
  most_.most_parked = std::max(most_.most_parked, parked_);
  most_.most_held = std::max(most_.most_held, held_);
  most_.most_held_in_pool = std::max(most_.most_held_in_pool, seen.held);
}

Time World::next_moment() const {
  Time next = agenda_.empty() ? Time::max() : agenda_.top().at;
  next = std::min(next, engine_.deadline().value_or(Time::max()));
  return std::min(next, backend_->deadline().value_or(Time::max()));
}

void World::pass_to(Time when) {
  const double passed = in_seconds(when - now_);
  parked_area_ += passed * static_cast<double>(parked_);
  held_area_ += passed * static_cast<double>(held_);
  now_ = when;
}

void World::step() {
  pass_to(std::max(next_moment(), now_));
  if (!agenda_.empty() && agenda_.top().at <= now_) {
    const Event event = agenda_.top();
    agenda_.pop();
    return clients_.due(event.who, event.what);
  }
  backend_->tick(now_);
  engine_.tick(now_);
  pump();
}

void World::run_until(Time end) {
  while (next_moment() <= end) {
    step();
  }
  pass_to(std::max(end, now_));
}

void World::run_while(const std::function<bool()>& goes_on) {
  while (goes_on() && next_moment() < Time::max()) {
    step();
  }
}

void World::start_counting() {
  counted_from_ = now_;
  parked_area_ = held_area_ = 0;
  most_ = {.most_parked = parked_, .most_held = held_};
}

Standing World::standing() {
  Standing all = most_;
  all.seconds = in_seconds(now_ - counted_from_);
  all.parked = all.seconds > 0 ? parked_area_ / all.seconds : 0;
  all.held = all.seconds > 0 ? held_area_ / all.seconds : 0;
  return all;
}

}  // namespace distributex::sim
