// SPDX-License-Identifier: MIT
// Leases in this process's memory, each ended at its own moment of the
// monotonic clock. Knows at once, so every verdict comes inside the call. Keeps
// no queue of waiters. A pool's leases stay until they end, even when the pool
// leaves the configuration, so that it can come back without a double grant.
#include <algorithm>
#include <cassert>
#include <map>
#include <set>
#include <utility>

#include "backends/makers.h"
#include "base/name_map.h"

namespace distributex {

namespace {

struct Held {
  Lease lease;
  std::optional<std::chrono::seconds> length;  // nothing: it never ends
  Held* older = nullptr;
  Held* newer = nullptr;
};

struct InmemoryPool {
  std::string name;
  std::map<Owner, Held> held;
  std::set<std::pair<Time, const Owner*>> ends;  // of those that end; owners in held
  Held* oldest = nullptr;                        // the chain of held, as they were granted
  Held* newest = nullptr;
};

class InmemoryBackend final : public Backend {
 public:
  InmemoryBackend(BackendSink sink, uint64_t wall_us)
      : sink_(std::move(sink)), last_token_(std::min(wall_us, max_token / 2)) {}

  void acquire(const Acquire& question, Time now) override;
  void release(const Release& question, Time now) override;
  void renew(const Renew& question, Time now) override;
  void configure(const std::vector<PoolSpec>&) override {}
  [[nodiscard]] std::optional<Time> deadline() const override;
  void tick(Time now) override;
  [[nodiscard]] std::optional<std::string> trouble() const override { return std::nullopt; }
  void survey(std::function<void()> ready, Time) override { ready(); }
  [[nodiscard]] std::vector<Lease> leases(std::string_view pool, size_t most) const override;
  [[nodiscard]] size_t held(std::string_view pool) const override;

 private:
  InmemoryPool& open(const std::string& name);
  void end_due(InmemoryPool& pool, Time now);
  void start_time(InmemoryPool& pool, Held& held, Time now);
  void stop_time(InmemoryPool& pool, const Held& held);
  static void link(InmemoryPool& pool, Held& held);
  static void unlink(InmemoryPool& pool, const Held& held);
  void schedule(InmemoryPool& pool, std::optional<Time> before);
  Held* find(InmemoryPool& pool, const Owner& owner, std::optional<Token> token);
  static std::optional<Time> first_end(const InmemoryPool& pool);

  BackendSink sink_;
  Token last_token_;
  NameMap<InmemoryPool> pools_;
  std::set<std::pair<Time, InmemoryPool*>> ends_;  // the first end of each pool
};

InmemoryPool& InmemoryBackend::open(const std::string& name) {
  const auto [it, is_new] = pools_.try_emplace(name);
  if (is_new) it->second.name = name;
  return it->second;
}

std::optional<Time> InmemoryBackend::first_end(const InmemoryPool& pool) {
  return pool.ends.empty() ? std::nullopt : std::optional{pool.ends.begin()->first};
}

// Keeps the pool's place among all pools after its first end has changed.
void InmemoryBackend::schedule(InmemoryPool& pool, std::optional<Time> before) {
  const auto after = first_end(pool);
  if (after == before) return;
  if (before) ends_.erase({*before, &pool});
  if (after) ends_.emplace(*after, &pool);
}

void InmemoryBackend::start_time(InmemoryPool& pool, Held& held, Time now) {
  const auto before = first_end(pool);
  if (held.lease.ends) pool.ends.erase({*held.lease.ends, &held.lease.owner});
  held.lease.ends = held.length ? std::optional<Time>{now + *held.length} : std::nullopt;
  if (held.lease.ends) pool.ends.emplace(*held.lease.ends, &held.lease.owner);
  schedule(pool, before);
}

void InmemoryBackend::stop_time(InmemoryPool& pool, const Held& held) {
  if (!held.lease.ends) return;
  const auto before = first_end(pool);
  pool.ends.erase({*held.lease.ends, &held.lease.owner});
  schedule(pool, before);
}

void InmemoryBackend::link(InmemoryPool& pool, Held& held) {
  held.older = pool.newest;
  (held.older ? held.older->newer : pool.oldest) = &held;
  pool.newest = &held;
}

void InmemoryBackend::unlink(InmemoryPool& pool, const Held& held) {
  (held.older ? held.older->newer : pool.oldest) = held.newer;
  (held.newer ? held.newer->older : pool.newest) = held.older;
}

void InmemoryBackend::end_due(InmemoryPool& pool, Time now) {
  while (!pool.ends.empty() && pool.ends.begin()->first <= now) {
    const auto it = pool.held.find(*pool.ends.begin()->second);
    stop_time(pool, it->second);
    unlink(pool, it->second);
    const auto ended = pool.held.extract(it);
    sink_.expired(pool.name, ended.mapped().lease);
  }
}

void InmemoryBackend::acquire(const Acquire& question, Time now) {
  InmemoryPool& pool = open(question.pool);
  end_due(pool, now);
  Verdict verdict;
  const auto present = pool.held.find(question.owner);
  if (present != pool.held.end()) {
    verdict.kind = Verdict::Kind::held;
    verdict.token = present->second.lease.token;
    verdict.ends = present->second.lease.ends;
  } else if (question.find_only || pool.held.size() >= question.slots) {
    verdict.kind = Verdict::Kind::full;
    verdict.retry_at = first_end(pool);
  } else {
    assert(last_token_ < max_token);
    Held& held = pool.held[question.owner];
    held.lease = Lease{.owner = question.owner, .token = ++last_token_, .since = now, .ends = {}};
    held.length = question.length;
    link(pool, held);
    start_time(pool, held, now);
    verdict.kind = Verdict::Kind::granted;
    verdict.token = held.lease.token;
    verdict.ends = held.lease.ends;
    verdict.retry_at = pool.held.size() < question.slots ? now : first_end(pool);
  }
  sink_.decided(question.op, verdict);
}

Held* InmemoryBackend::find(InmemoryPool& pool, const Owner& owner, std::optional<Token> token) {
  const auto it = pool.held.find(owner);
  if (it == pool.held.end()) return nullptr;
  return token && *token != it->second.lease.token ? nullptr : &it->second;
}

void InmemoryBackend::release(const Release& question, Time now) {
  InmemoryPool& pool = open(question.pool);
  end_due(pool, now);
  Verdict verdict;
  verdict.kind = Verdict::Kind::not_held;
  if (const Held* held = find(pool, question.owner, question.token)) {
    verdict.kind = Verdict::Kind::released;
    verdict.token = held->lease.token;
    verdict.since = held->lease.since;
    stop_time(pool, *held);
    unlink(pool, *held);
    pool.held.erase(question.owner);
  }
  sink_.decided(question.op, verdict);
}

void InmemoryBackend::renew(const Renew& question, Time now) {
  InmemoryPool& pool = open(question.pool);
  end_due(pool, now);
  Verdict verdict;
  verdict.kind = Verdict::Kind::lost;
  if (Held* held = find(pool, question.owner, question.token)) {
    if (question.length && held->length) held->length = question.length;
    start_time(pool, *held, now);
    verdict.kind = Verdict::Kind::renewed;
    verdict.token = held->lease.token;
    verdict.ends = held->lease.ends;
  }
  sink_.decided(question.op, verdict);
}

std::optional<Time> InmemoryBackend::deadline() const {
  return ends_.empty() ? std::nullopt : std::optional{ends_.begin()->first};
}

void InmemoryBackend::tick(Time now) {
  while (!ends_.empty() && ends_.begin()->first <= now) {
    InmemoryPool& pool = *ends_.begin()->second;
    end_due(pool, now);
    sink_.changed(pool.name);
  }
}

std::vector<Lease> InmemoryBackend::leases(std::string_view name, size_t most) const {
  std::vector<Lease> oldest;
  const auto pool = pools_.find(name);
  const Held* held = pool == pools_.end() ? nullptr : pool->second.oldest;
  for (; held && oldest.size() < most; held = held->newer) oldest.push_back(held->lease);
  return oldest;
}

size_t InmemoryBackend::held(std::string_view name) const {
  const auto pool = pools_.find(name);
  return pool == pools_.end() ? 0 : pool->second.held.size();
}

}  // namespace

std::unique_ptr<Backend> make_inmemory_backend(const BackendSetup& setup) {
  return std::make_unique<InmemoryBackend>(setup.sink, setup.wall_us);
}

}  // namespace distributex
