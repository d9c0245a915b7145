// SPDX-License-Identifier: MIT
// Leases in this process's memory and nowhere else. Knows at once, so every
// verdict comes inside the call.
#include <algorithm>
#include <utility>

#include "backends/lease_table.h"
#include "backends/makers.h"

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
  void configure(const std::vector<PoolSpec>&) override {}
  [[nodiscard]] std::optional<Time> deadline() const override { return table_.first_end(); }
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

  BackendSink sink_;
  Token last_token_;
  LeaseTable table_;
};

Verdict InmemoryBackend::decide(const Acquire& question, Time now) {
  LeasePool& pool = table_.open(question.pool, now);
  if (const HeldLease* present = LeaseTable::find(pool, question.owner, std::nullopt)) {
    return LeaseTable::found(Verdict::Kind::held, *present);
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

void InmemoryBackend::tick(Time now) {
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
