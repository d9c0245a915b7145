// SPDX-License-Identifier: MIT
// Leases in this process's memory and nowhere else. Each verdict comes inside the call
// of its question.
#include <algorithm>
#include <utility>

#include "backends/lease_table.h"
#include "backends/makers.h"
#include "backends/rests.h"
#include "backends/rulings.h"
#include "lock/pool_book.h"

namespace distributex {

namespace {

class InmemoryBackend final : public Backend {
 public:
  InmemoryBackend(BackendSink sink, uint64_t wall_us)
      : sink_(std::move(sink)),
        last_token_(std::min(wall_us, max_token / 2)),
        table_([this](LeasePool& pool, const HeldLease& held) { expired(pool, held); },
               [](LeasePool&, Token) {}) {}

  void acquire(const Acquire& question, Time now) override {
    sink_.decided(question.op, decide(question, now));
  }
  void release(const Release& question, Time now) override {
    sink_.decided(question.op, decide(question, now));
  }
  void renew(const Renew& question, Time now) override {
    sink_.decided(question.op, decide(question, now));
  }
  void order(const Order& order, Time now) override { sink_.decided(order.op, decide(order, now)); }
  [[nodiscard]] const Freeze* frozen(std::string_view pool) const override {
    return rulings_.find(pool);
  }
  [[nodiscard]] std::vector<Freeze> freezes() const override { return rulings_.all(); }
  void configure(const std::vector<PoolSpec>& pools) override { specs_.configure(pools); }
  void forget(const std::string& pool) override { (void)table_.forget(pool); }
  [[nodiscard]] std::optional<Time> deadline() const override {
    return earlier(table_.first_end(), rulings_.first_end());
  }
  void tick(Time now) override;
  [[nodiscard]] std::optional<std::string> trouble() const override { return std::nullopt; }
  void survey(std::function<void()> ready, Time) override { ready(); }
  [[nodiscard]] std::vector<Lease> leases(std::string_view pool, size_t most) const override {
    return table_.leases(pool, most);
  }
  [[nodiscard]] size_t held(std::string_view pool) const override { return table_.held(pool); }
  [[nodiscard]] std::vector<std::string> used_pools() const override { return table_.used(); }
  [[nodiscard]] std::vector<Rest> rests(std::string_view pool, size_t most) const override {
    return table_.rests(pool, most);
  }
  [[nodiscard]] size_t resting(std::string_view pool) const override {
    return table_.resting(pool);
  }

 private:
  Verdict decide(const Acquire& question, Time now);
  Verdict decide(const Release& question, Time now);
  Verdict decide(const Renew& question, Time now);
  Verdict decide(const Order& order, Time now);
  Verdict freeze(const Order& order, Time now);
  Verdict thaw(const Order& order);
  Verdict evict(const Order& order, Time now);
  void end_freezes(Time now);
  void expired(LeasePool& pool, const HeldLease& held);
  void rest(LeasePool& pool, std::optional<Rest> rest);
  void count_run(LeasePool& pool, const Lease& lease, bool failed, const std::string& how);
  void thawed(const Freeze& freeze, const std::string& by);

  BackendSink sink_;
  Token last_token_;
  Time now_{};  // the time of the question or tick under way
  PoolBook specs_;
  LeaseTable table_;
  Rulings rulings_;
};

Verdict InmemoryBackend::decide(const Acquire& question, Time now) {
  now_ = now;
  LeasePool& pool = table_.open(question.pool, now);
  if (const HeldLease* present = LeaseTable::find(pool, question.owner, std::nullopt)) {
    return LeaseTable::found(Verdict::Kind::held, *present);
  }
  end_freezes(now);
  if (const Freeze* freeze = rulings_.find(question.pool)) {
    return LeaseTable::full(*freeze);
  }
  if (question.find_only || pool.taken() >= question.slots) {
    return LeaseTable::full(pool);
  }
  const HeldLease& held = table_.grant(pool, question, ++last_token_, now);
  return LeaseTable::granted(pool, held, question.slots, now);
}

Verdict InmemoryBackend::decide(const Release& question, Time now) {
  now_ = now;
  LeasePool& pool = table_.open(question.pool, now);
  HeldLease* held = LeaseTable::find(pool, question.owner, question.token);
  if (!held) {
    return LeaseTable::without(Verdict::Kind::not_held);
  }
  const PoolSpec* spec = specs_.find(pool.name);
  if (question.undelivered || (!may_rest(spec) && question.outcome == Outcome::unknown)) {
    return table_.release(pool, *held);
  }
  const Lease lease = held->lease();
  Verdict verdict = table_.release(pool, *held);
  rest(pool, rest_after_release(spec, lease, now));
  if (question.outcome != Outcome::unknown) {
    count_run(pool, lease, question.outcome == Outcome::failed, how_it_failed(question.status));
  }
  return verdict;
}

Verdict InmemoryBackend::decide(const Renew& question, Time now) {
  now_ = now;
  LeasePool& pool = table_.open(question.pool, now);
  HeldLease* held = LeaseTable::find(pool, question.owner, question.token);
  if (!held) {
    return LeaseTable::without(Verdict::Kind::lost);
  }
  table_.renew(pool, *held, question.length, now);
  return LeaseTable::found(Verdict::Kind::renewed, *held);
}

Verdict InmemoryBackend::decide(const Order& order, Time now) {
  now_ = now;
  switch (order.kind) {
    case Order::Kind::freeze:
      return freeze(order, now);
    case Order::Kind::thaw:
      return thaw(order);
    case Order::Kind::evict:
      return evict(order, now);
  }
  return {};
}

Verdict InmemoryBackend::freeze(const Order& order, Time now) {
  Freeze freeze = freeze_of(order, now);
  const Happening happening = frozen_by(freeze);
  if (!rulings_.freeze(std::move(freeze))) {
    return LeaseTable::refused(Rulings::too_many_freezes);
  }
  sink_.happened(happening, 0);
  return LeaseTable::without(Verdict::Kind::done);
}

Verdict InmemoryBackend::thaw(const Order& order) {
  const std::vector<Freeze> ended = rulings_.thaw(order.pool);
  for (const Freeze& freeze : ended) {
    thawed(freeze, order.by);
  }
  table_.forget_failures(order.pool);
  return LeaseTable::without(ended.empty() ? Verdict::Kind::not_held : Verdict::Kind::done);
}

Verdict InmemoryBackend::evict(const Order& order, Time now) {
  LeasePool& pool = table_.open(order.pool, now);
  HeldLease* held = LeaseTable::find(pool, order.token);
  if (!held) {
    return LeaseTable::without(Verdict::Kind::not_held);
  }
  Verdict verdict = LeaseTable::without(Verdict::Kind::done);
  verdict.owner = *held->owner;
  const Happening happening = LeaseTable::evicted(pool, *held, order, now);
  const Lease lease = held->lease();
  (void)table_.release(pool, *held);
  sink_.happened(happening, 0);
  rest(pool, rest_after_cut(specs_.find(pool.name), lease, now, now));
  count_run(pool, lease, true, "evicted");
  return verdict;
}

void InmemoryBackend::expired(LeasePool& pool, const HeldLease& held) {
  const Lease lease = held.lease();
  sink_.expired(pool.name, lease, 0);
  rest(pool, rest_after_cut(specs_.find(pool.name), lease, *lease.ends, now_));
  count_run(pool, lease, true, "its lock ended by time");
}

void InmemoryBackend::rest(LeasePool& pool, std::optional<Rest> rest) {
  if (!rest) {
    return;
  }
  sink_.happened(rested(pool.name, *rest, now_), 0);
  table_.rest(pool, *std::move(rest));
}

// Freezes the pool at once if the count of failed runs has reached freeze_after.
void InmemoryBackend::count_run(LeasePool& pool, const Lease& lease, bool failed,
                                const std::string& how) {
  const PoolSpec* spec = specs_.find(pool.name);
  const uint32_t limit = spec ? spec->freeze_after : 0;
  pool.failed_runs = failed && limit != 0 ? pool.failed_runs + 1 : 0;
  if (limit == 0 || pool.failed_runs < limit) {
    return;
  }
  Freeze freeze = freeze_after(pool.name, pool.failed_runs, lease.owner, how, now_);
  const Happening happening = frozen_by(freeze);
  if (rulings_.freeze(std::move(freeze))) {
    pool.failed_runs = 0;
    sink_.happened(happening, 0);
  }
}

void InmemoryBackend::end_freezes(Time now) {
  for (const Freeze& freeze : rulings_.end_due(now)) {
    thawed(freeze, {});
  }
}

// Calls changed() for each thawed pool, so that the engine asks again for its waiters.
void InmemoryBackend::thawed(const Freeze& freeze, const std::string& by) {
  sink_.happened(thawed_by(freeze, by), 0);
  for (const std::string& pool : table_.names(freeze.pool)) {
    sink_.changed(pool);
  }
}

void InmemoryBackend::tick(Time now) {
  now_ = now;
  end_freezes(now);
  while (LeasePool* pool = table_.due(now)) {
    table_.end_due(*pool, now);
    sink_.changed(pool->name);
  }
}

}  // namespace

std::unique_ptr<Backend> make_inmemory_backend(const BackendSetup& setup) {
  return std::make_unique<InmemoryBackend>(setup.sink, setup.wall_us);
}

}  // namespace distributex
