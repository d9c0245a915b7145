// SPDX-License-Identifier: MIT
// The loop around a backend under test.
#include "support/bench.h"

#include <stdlib.h>

#include "backends/table.h"
#include "base/clock.h"
#include "daemon/settings.h"
#include "support/daemon.h"

namespace distributex::test {

namespace {

void leave_loop(int, short, void* base) noexcept {
  event_base_loopbreak(static_cast<event_base*>(base));
}

std::optional<std::chrono::seconds> length_of(int seconds) {
  if (seconds == 0) {
    return std::nullopt;
  }
  return std::chrono::seconds(seconds);
}

}  // namespace

BackendBench::BackendBench(const std::string& backend, const std::string& options)
    : base_(event_base_new()), timer_(evtimer_new(base_.get(), leave_loop, base_.get())) {
  auto parsed = parse_settings(
      "backend: " + backend + "\n" + options + "\npools: [{name: p, maxlocks: 3}]\n", "bench");
  if (!std::holds_alternative<Settings>(parsed)) {
    abort();
  }
  const Settings& settings = std::get<Settings>(parsed);
  BackendSink sink;
  sink.decided = [this](OpId op, const Verdict& verdict) {
    if (!verdicts_.emplace(op, verdict).second) {
      abort();  // decided twice
    }
    order_.push_back(op);
  };
  sink.changed = [this](const std::string&) { changes_++; };
  sink.expired = [this](const std::string&, const Lease& lease, uint64_t) {
    expired_.push_back(lease);
  };
  sink.happened = [this](const Happening& happening, uint64_t) { happened_.push_back(happening); };
  sink.stored = [this](uint64_t stored) { stored_ = stored; };
  sink.unstored = [this](const std::string& why) { unstored_.push_back(why); };
  backend_ = find_backend(backend)->make({base_.get(), settings.config, sink, wall_us()});
  if (auto refusal = backend_->begin()) {
    refusal_ = refusal->what;
  }
  backend_->configure(settings.service.pools);
}

OpId BackendBench::ask_get(const Owner& owner, uint32_t slots, int length_s, bool find_only) {
  backend_->acquire({.op = ++last_op_,
                     .pool = pool_,
                     .owner = owner,
                     .slots = slots,
                     .length = length_of(length_s),
                     .find_only = find_only},
                    steady_now());
  return last_op_;
}

OpId BackendBench::ask_release(const Owner& owner, std::optional<Token> token, uint32_t slots) {
  backend_->release(
      {.op = ++last_op_, .pool = pool_, .owner = owner, .token = token, .slots = slots},
      steady_now());
  return last_op_;
}

OpId BackendBench::ask_give_back(const Owner& owner, Token token) {
  backend_->release(
      {.op = ++last_op_, .pool = pool_, .owner = owner, .token = token, .undelivered = true},
      steady_now());
  return last_op_;
}

OpId BackendBench::ask_renew(const Owner& owner, std::optional<Token> token, int length_s) {
  backend_->renew({.op = ++last_op_,
                   .pool = pool_,
                   .owner = owner,
                   .token = token,
                   .length = length_of(length_s),
                   .slots = 1},
                  steady_now());
  return last_op_;
}

bool BackendBench::until(const std::function<bool()>& so) {
  const Time deadline = steady_now() + patience;
  while (!so()) {
    const Time now = steady_now();
    if (now >= deadline) {
      return false;
    }
    const auto due = std::min(backend_->deadline().value_or(deadline), deadline);
    const auto us = std::chrono::ceil<std::chrono::microseconds>(std::max(due - now, Duration{}));
    const timeval delay{us.count() / 1'000'000, us.count() % 1'000'000};
    evtimer_add(timer_.get(), &delay);
    event_base_loop(base_.get(), EVLOOP_ONCE);
    if (const auto next = backend_->deadline(); next && *next <= steady_now()) {
      backend_->tick(steady_now());
    }
  }
  return true;
}

Verdict BackendBench::verdict_of(OpId op) {
  if (!until([&] { return verdicts_.contains(op); })) {
    abort();
  }
  return verdicts_.at(op);
}

Verdict BackendBench::get(const Owner& owner, uint32_t slots, int length_s) {
  return verdict_of(ask_get(owner, slots, length_s));
}
Verdict BackendBench::find(const Owner& owner, uint32_t slots) {
  return verdict_of(ask_get(owner, slots, 100, true));
}
Verdict BackendBench::release(const Owner& owner, std::optional<Token> token, uint32_t slots) {
  return verdict_of(ask_release(owner, token, slots));
}
Verdict BackendBench::renew(const Owner& owner, std::optional<Token> token, int length_s) {
  return verdict_of(ask_renew(owner, token, length_s));
}

Verdict BackendBench::freeze(const std::string& pool, std::optional<Duration> lasts) {
  return verdict_of(ask_freeze(pool, lasts));
}
OpId BackendBench::ask_freeze(const std::string& pool, std::optional<Duration> lasts) {
  Order order{.op = ++last_op_, .kind = Order::Kind::freeze, .pool = pool};
  order.reason = "bad release";
  order.by = "ann";
  order.lasts = lasts;
  backend_->order(order, steady_now());
  return order.op;
}
Verdict BackendBench::release_with(const Owner& owner, Outcome outcome, uint8_t status) {
  Release question{.op = ++last_op_, .pool = pool_, .owner = owner, .token = {}};
  question.outcome = outcome;
  question.status = status;
  backend_->release(question, steady_now());
  return verdict_of(question.op);
}
Verdict BackendBench::thaw(const std::string& pool) {
  Order order{.op = ++last_op_, .kind = Order::Kind::thaw, .pool = pool};
  order.by = "bob";
  backend_->order(order, steady_now());
  return verdict_of(order.op);
}
Verdict BackendBench::evict(Token token, uint32_t slots) {
  Order order{.op = ++last_op_, .kind = Order::Kind::evict, .pool = pool_};
  order.reason = "dead";
  order.by = "ann";
  order.token = token;
  order.slots = slots;
  backend_->order(order, steady_now());
  return verdict_of(order.op);
}

std::string BackendBench::news() {
  constexpr const char* kinds[] = {"frozen", "thawed", "evicted", "rested"};
  std::string text;
  for (const Happening& one : std::exchange(happened_, {})) {
    text += (text.empty() ? "" : "; ") + std::string(kinds[static_cast<size_t>(one.kind)]) + " " +
            one.pool + (one.owner.host.empty() ? "" : " " + one.owner.host) + " " + one.reason +
            (one.by.empty() ? "" : " by " + one.by);
  }
  return text;
}

std::string BackendBench::holders() {
  bool ready = false;
  backend_->survey([&] { ready = true; }, steady_now());
  if (!until([&] { return ready; })) {
    abort();
  }
  std::string text;
  for (const Lease& lease : backend_->leases(pool_)) {
    text += (text.empty() ? "" : " ") + lease.owner.host;
  }
  return text;
}

std::string BackendBench::name_of(const Verdict& verdict) {
  switch (verdict.kind) {
    case Verdict::Kind::granted:
      return "granted";
    case Verdict::Kind::held:
      return "held";
    case Verdict::Kind::full:
      return "full";
    case Verdict::Kind::released:
      return "released";
    case Verdict::Kind::not_held:
      return "not_held";
    case Verdict::Kind::renewed:
      return "renewed";
    case Verdict::Kind::lost:
      return "lost";
    case Verdict::Kind::failed:
      return "failed: " + verdict.reason;
    case Verdict::Kind::done:
      return "done";
  }
  return "";
}

}  // namespace distributex::test
