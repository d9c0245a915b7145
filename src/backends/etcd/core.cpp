// SPDX-License-Identifier: MIT
// Questions. Calls to the engine are collected and made at the end of each event, for the
// engine asks new questions from inside them.
#include "backends/etcd/core.h"

#include <algorithm>
#include <utility>

namespace distributex {

namespace {

using std::chrono::milliseconds;

constexpr milliseconds again_pause{500};
// A question that is not settled after asked_max transactions pauses, so that the watch can
// bring the mirror up to date: the mirror is behind, or of another store.
constexpr unsigned asked_max = 10;
constexpr milliseconds asked_pause{20};

}  // namespace

EtcdCore::EtcdCore(EtcdWire& wire, EtcdSettings settings, size_t endpoints, BackendSink sink,
                   std::function<void(Time now)> settled)
    : wire_(wire),
      endpoints_(endpoints),
      sink_(std::move(sink)),
      settled_(std::move(settled)),
      world_(std::move(settings)),
      follower_(wire, world_,
                {.changed = [this](const std::vector<EtcdChange>& changes, bool was_set_back,
                                   Time now) { changed(changes, was_set_back, now); },
                 .lost =
                     [this](const std::string& reason, Time now) {
                       world_.reason = reason;
                       settle_down(now);
                     }}) {}

void EtcdCore::configure(const std::vector<PoolSpec>& pools) {
  world_.specs.configure(pools);
  for (const PoolSpec& pool : pools) {
    slots_[pool.name] = pool.maxlocks;
  }
}

void EtcdCore::forget(const std::string& pool) {
  slots_.erase(pool);
  world_.forget(pool);
  world_.sights.restart_turns(pool);
}

void EtcdCore::acquire(const Acquire& question, Time now) {
  slots_[question.pool] = question.slots;
  if (question.patient) {
    idle_.erase(question.pool);
  }
  start({.op = question.op,
         .question = EtcdAcquire(world_, question, now),
         .name = {question.pool, question.owner},
         .is_ordered = !question.patient},
        now);
}

void EtcdCore::release(const Release& question, Time now) {
  Task task{.op = question.op,
            .question = EtcdRelease(world_, question, now),
            .name = {question.pool, question.owner}};
  if (question.undelivered) {
    task.again = question;
  }
  start(std::move(task), now);
}

void EtcdCore::renew(const Renew& question, Time now) {
  start({.op = question.op,
         .question = EtcdRenew(world_, question, now),
         .name = {question.pool, question.owner}},
        now);
}

void EtcdCore::order(const Order& order, Time now) {
  start({.op = order.op, .question = EtcdOrder(world_, order, now), .name = {order.pool, {}}}, now);
}

void EtcdCore::start(Task task, Time now) {
  const uint64_t id = ++last_id_;
  if (task.is_ordered && task.op != 0) {
    order_[task.name.first].push_back(id);
  }
  auto& lane = lanes_[task.name];
  lane.push_back(id);
  const bool is_first = lane.size() == 1;
  tasks_.emplace(id, std::move(task));
  if (is_first) {
    drive(id, now);
  }
  settle_down(now);
}

void EtcdCore::drive(uint64_t id, Time now) {
  Task& task = tasks_.at(id);
  if (task.wakes) {
    wakes_.erase({*std::exchange(task.wakes, std::nullopt), id});
  }
  if (task.asked >= asked_max) {
    task.asked = 0;
    task.wakes = now + asked_pause;
    wakes_.emplace(*task.wakes, id);
    return;
  }
  EtcdStep step =
      std::visit([&](auto& question) { return question.next(world_, now); }, task.question);
  if (const auto* verdict = std::get_if<Verdict>(&step)) {
    if (verdict->kind == Verdict::Kind::granted && !is_next_in_order(id, task)) {
      held_up_.insert(id);
      return;
    }
    return finish(id, *verdict, now);
  }
  if (const auto* pause = std::get_if<EtcdPause>(&step)) {
    task.asked = 0;
    task.wakes = pause->until;
    wakes_.emplace(pause->until, id);
    return;
  }
  task.is_asked = true;
  task.asked++;
  world_.counts.asked.at(task.question.index())++;  // in the order of the variant
  const Duration limit =
      std::visit([&](const auto& question) { return question.limit(now); }, task.question);
  ask(std::move(std::get<EtcdTxn>(step)), limit, [this, id](const EtcdReply& reply, Time at) {
    Task& asked = tasks_.at(id);
    asked.is_asked = false;
    std::visit([&](auto& question) { question.take(world_, reply, at); }, asked.question);
    drive(id, at);
  });
}

// A grant must be told soon after it was made, see told_within. If other questions of the
// pool come before it, drive() asks it for its verdict again when they are done.
bool EtcdCore::is_next_in_order(uint64_t id, const Task& task) const {
  const auto order = order_.find(task.name.first);
  return !task.is_ordered || order == order_.end() || order->second.front() == id;
}

void EtcdCore::drive_held_up(Time now) {
  for (const std::string& pool : std::exchange(unblocked_, {})) {
    const auto order = order_.find(pool);
    if (order == order_.end() || held_up_.erase(order->second.front()) == 0) {
      continue;
    }
    drive(order->second.front(), now);
  }
}

void EtcdCore::finish(uint64_t id, const Verdict& verdict, Time now) {
  auto node = tasks_.extract(id);
  Task& task = node.mapped();
  const auto lane = lanes_.find(task.name);
  lane->second.pop_front();
  std::optional<uint64_t> next;
  if (lane->second.empty()) {
    lanes_.erase(lane);
  } else {
    next = lane->second.front();
  }
  decide(id, task.op, task.is_ordered, task.name.first, verdict);
  if (verdict.kind == Verdict::Kind::failed && task.again) {
    task.again->op = 0;
    again_.push_back({.at = now + again_pause,
                      .question = *task.again,
                      .written = std::get<EtcdRelease>(task.question).written()});
  }
  if (next) {
    drive(*next, now);
  }
}

void EtcdCore::decide(uint64_t id, OpId op, bool is_ordered, const std::string& pool,
                      const Verdict& verdict) {
  if (op == 0) {
    return;
  }
  if (!is_ordered) {
    decided_.emplace_back(op, verdict);
    return;
  }
  done_.emplace(id, std::pair{op, verdict});
  const auto order = order_.find(pool);
  while (!order->second.empty()) {
    const auto first = done_.find(order->second.front());
    if (first == done_.end()) {
      return;
    }
    decided_.push_back(std::move(first->second));
    done_.erase(first);
    order->second.pop_front();
    unblocked_.insert(pool);
  }
  order_.erase(order);
}

// Drives the questions whose pause is over; with `all`, every question that pauses.
void EtcdCore::wake(Time now, bool all) {
  std::vector<uint64_t> due;
  for (const auto& [at, id] : wakes_) {
    if (at > now && !all) {
      break;
    }
    due.push_back(id);
  }
  for (const uint64_t id : due) {
    if (tasks_.contains(id)) {
      drive(id, now);
    }
  }
}

void EtcdCore::ask(EtcdTxn txn, Duration limit, EtcdWire::Replied replied) {
  asking_++;
  world_.counts.transactions++;
  const uint64_t before = revision_;
  wire_.ask(std::move(txn), limit,
            [this, before, replied = std::move(replied)](const EtcdReply& reply, Time now) {
              asking_--;
              if (reply.outcome == EtcdOutcome::answered) {
                world_.answered = now;
                if (reply.answer.revision < before && follower_.is_live()) {
                  follower_.doubt("its revision fell", now);
                }
                if (reply.answer.revision >= before) {
                  revision_ = std::max(revision_, reply.answer.revision);
                } else {
                  revision_ = reply.answer.revision;
                }
              } else {
                world_.reason = reply.reason;
              }
              if (reply.outcome == EtcdOutcome::refused) {
                refusal_ = reply.reason;
                refused_ = now;
              }
              replied(reply, now);
              settle_down(now);
            });
}

// Ends every event: does what follows from it at once, then calls the engine.
void EtcdCore::settle_down(Time now) {
  if (is_flushing_) {
    return;
  }
  clear_leftovers(now);
  follower_.tick(now);
  end_surveys(now);
  judge(now);
  flush(now);
  settled_(now);
}

void EtcdCore::flush(Time now) {
  is_flushing_ = true;
  while (!world_.news.empty() || !decided_.empty() || !world_.happened.empty() ||
         !surveyed_.empty() || !unblocked_.empty()) {
    drive_held_up(now);
    for (const EtcdNewsOf& news : std::exchange(world_.news, {})) {
      if (news.expired) {
        sink_.expired(news.pool, *news.expired, 0);
      } else {
        sink_.changed(news.pool);
      }
    }
    for (const Happening& happening : std::exchange(world_.happened, {})) {
      sink_.happened(happening, 0);
    }
    if (!decided_.empty()) {
      const auto [op, verdict] = std::move(decided_.front());
      decided_.pop_front();
      sink_.decided(op, verdict);
    }
    for (const auto& ready : std::exchange(surveyed_, {})) {
      ready();
    }
  }
  is_flushing_ = false;
}

std::optional<Time> EtcdCore::deadline() const {
  Time first = Time::max();
  const auto sooner = [&](std::optional<Time> at) {
    if (at) {
      first = std::min(first, *at);
    }
  };
  sooner(follower_.deadline());
  if (world_.is_ready) {
    sooner(world_.keeper.first());
    sooner(world_.rest_keeper.first());
    sooner(world_.mirror.standing().first_end());
  }
  sooner(clock_due());
  for (const Again& each : again_) {
    sooner(each.at);
  }
  if (!wakes_.empty()) {
    sooner(wakes_.begin()->first);
  }
  if (needs_seed_ && !is_seeding_ && follower_.is_live()) {
    sooner(seed_at_);
  }
  for (const auto& [pool, at] : idle_) {
    if (world_.is_ready && !dropping_.contains(pool)) {
      sooner(at);
    }
  }
  for (const auto& [until, ready] : surveys_) {
    sooner(until);
  }
  for (const EtcdUnsettled& left : world_.leftovers) {
    const EtcdLease* lease = world_.mirror.find(left.pool, left.owner);
    if (!left.is_asked && lease && lease->value.nonce == left.nonce) {
      sooner(left.not_before);
    }
  }
  sooner(probed_ + std::chrono::seconds(1));
  return first;
}

void EtcdCore::tick(Time now) {
  is_flushing_ = true;  // settle_down() runs once, at the end
  follower_.tick(now);
  wake(now, false);
  seed(now);
  end_due(now);
  tick_clock(now);
  try_again(now);
  drop_tickets(now);
  probe(now);
  is_flushing_ = false;
  settle_down(now);
}

}  // namespace distributex
