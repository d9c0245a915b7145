// SPDX-License-Identifier: MIT
// Leases in this process's memory and nowhere else. Knows at once, so every
// verdict comes inside the call.
#include <algorithm>
#include <utility>

#include "backends/lease_table.h"
#include "backends/makers.h"
#include "backends/rulings.h"

namespace distributex {

namespace {

class InmemoryBackend final : public Backend {
 public:
  InmemoryBackend(BackendSink sink, uint64_t wall_us)
      : sink_(std::move(sink)),
        last_token_(std::min(wall_us, max_token / 2)),
        table_([this](const LeasePool& pool, const HeldLease& held) {
          sink_.expired(pool.name, held.lease(), 0);
        }) {}

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
  void configure(const std::vector<PoolSpec>&) override {}
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

 private:
  Verdict decide(const Acquire& question, Time now);
  Verdict decide(const Release& question, Time now);
  Verdict decide(const Renew& question, Time now);
  Verdict decide(const Order& order, Time now);
  Verdict freeze(const Order& order, Time now);
  Verdict thaw(const Order& order);
  Verdict evict(const Order& order, Time now);
  void end_freezes(Time now);
  void thawed(const Freeze& freeze, const std::string& by);

  BackendSink sink_;
  Token last_token_;
  LeaseTable table_;
  Rulings rulings_;
};

Verdict InmemoryBackend::decide(const Acquire& question, Time now) {
  LeasePool& pool = table_.open(question.pool, now);
  if (const HeldLease* present = LeaseTable::find(pool, question.owner, std::nullopt)) {
    return LeaseTable::found(Verdict::Kind::held, *present);
  }
  end_freezes(now);
  if (const Freeze* freeze = rulings_.find(question.pool)) {
    return LeaseTable::full(*freeze);
  }
  if (question.find_only || pool.held.size() >= question.slots) {
    return LeaseTable::full(pool);
  }
  const HeldLease& held = table_.grant(pool, question, ++last_token_, now);
  return LeaseTable::granted(pool, held, question.slots, now);
}

Verdict InmemoryBackend::decide(const Release& question, Time now) {
  LeasePool& pool = table_.open(question.pool, now);
  HeldLease* held = LeaseTable::find(pool, question.owner, question.token);
  return held ? table_.release(pool, *held) : LeaseTable::without(Verdict::Kind::not_held);
}

Verdict InmemoryBackend::decide(const Renew& question, Time now) {
  LeasePool& pool = table_.open(question.pool, now);
  HeldLease* held = LeaseTable::find(pool, question.owner, question.token);
  if (!held) {
    return LeaseTable::without(Verdict::Kind::lost);
  }
  table_.renew(pool, *held, question.length, now);
  return LeaseTable::found(Verdict::Kind::renewed, *held);
}

Verdict InmemoryBackend::decide(const Order& order, Time now) {
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
  (void)table_.release(pool, *held);
  sink_.happened(happening, 0);
  return verdict;
}

void InmemoryBackend::end_freezes(Time now) {
  for (const Freeze& freeze : rulings_.end_due(now)) {
    thawed(freeze, {});
  }
}

// Whoever waits for one of its pools is asked about again.
void InmemoryBackend::thawed(const Freeze& freeze, const std::string& by) {
  sink_.happened(thawed_by(freeze, by), 0);
  for (const std::string& pool : table_.names(freeze.pool)) {
    sink_.changed(pool);
  }
}

void InmemoryBackend::tick(Time now) {
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
