// SPDX-License-Identifier: MIT
// A map of owners for each pool, with two orders beside it: by end, and by
// grant. The pools themselves are ordered by their first end.
#include "backends/lease_table.h"

#include <cassert>

#include "base/pattern.h"

namespace distributex {

namespace {

std::optional<Time> first_end(const LeasePool& pool) {
  const auto lease = pool.ends.empty() ? std::nullopt : std::optional{pool.ends.begin()->first};
  const auto rest = pool.rests.empty() ? std::nullopt : std::optional{pool.rests.begin()->first};
  return earlier(lease, rest);
}

void link(LeasePool& pool, HeldLease& held) {
  held.older = pool.newest;
  (held.older ? held.older->newer : pool.oldest) = &held;
  pool.newest = &held;
}

void unlink(LeasePool& pool, const HeldLease& held) {
  (held.older ? held.older->newer : pool.oldest) = held.newer;
  (held.newer ? held.newer->older : pool.newest) = held.older;
}

}  // namespace

LeasePool& LeaseTable::open(const std::string& name) {
  if (opened_ && opened_->name == name) {
    return *opened_;
  }
  const auto [it, is_new] = pools_.try_emplace(name);
  if (is_new) {
    it->second.name = name;
  }
  opened_ = &it->second;
  return *opened_;
}

LeasePool& LeaseTable::open(const std::string& name, Time now) {
  LeasePool& pool = open(name);
  end_due(pool, now);
  return pool;
}

// Keeps the pool's place among all pools after its first end has changed.
void LeaseTable::schedule(LeasePool& pool, std::optional<Time> before) {
  const auto after = distributex::first_end(pool);
  if (after == before) {
    return;
  }
  if (before) {
    ends_.erase({*before, &pool});
  }
  if (after) {
    ends_.emplace(*after, &pool);
  }
}

void LeaseTable::start_time(LeasePool& pool, HeldLease& held, Time now) {
  const auto before = distributex::first_end(pool);
  if (held.ends) {
    pool.ends.erase({*held.ends, held.owner});
  }
  held.ends = held.length ? std::optional<Time>{now + *held.length} : std::nullopt;
  if (held.ends) {
    pool.ends.emplace(*held.ends, held.owner);
  }
  schedule(pool, before);
}

void LeaseTable::stop_time(LeasePool& pool, const HeldLease& held) {
  if (!held.ends) {
    return;
  }
  const auto before = distributex::first_end(pool);
  pool.ends.erase({*held.ends, held.owner});
  schedule(pool, before);
}

void LeaseTable::end_due(LeasePool& pool, Time now) {
  while (!pool.ends.empty() && pool.ends.begin()->first <= now) {
    const auto it = pool.held.find(*pool.ends.begin()->second);
    stop_time(pool, it->second);
    unlink(pool, it->second);
    const auto ended = pool.held.extract(it);
    expired_(pool, ended.mapped());
  }
  while (!pool.rests.empty() && pool.rests.begin()->first <= now) {
    const auto before = distributex::first_end(pool);
    const Token token = pool.rests.begin()->second;
    pool.rests.erase(pool.rests.begin());
    pool.resting.erase(token);
    schedule(pool, before);
    rested_(pool, token);
  }
}

void LeaseTable::rest(LeasePool& pool, Rest rest) {
  const auto before = distributex::first_end(pool);
  pool.rests.emplace(rest.ends, rest.token);
  const Token token = rest.token;
  pool.resting.insert_or_assign(token, std::move(rest));
  schedule(pool, before);
}

LeasePool* LeaseTable::due(Time now) {
  return ends_.empty() || ends_.begin()->first > now ? nullptr : ends_.begin()->second;
}

std::optional<Time> LeaseTable::first_end() const {
  return ends_.empty() ? std::nullopt : std::optional{ends_.begin()->first};
}

HeldLease* LeaseTable::find(LeasePool& pool, const Owner& owner, std::optional<Token> token) {
  const auto it = pool.held.find(owner);
  if (it == pool.held.end()) {
    return nullptr;
  }
  return token && *token != it->second.token ? nullptr : &it->second;
}

HeldLease* LeaseTable::find(LeasePool& pool, Token token) {
  for (HeldLease* held = pool.oldest; held; held = held->newer) {
    if (held->token == token) {
      return held;
    }
  }
  return nullptr;
}

std::vector<std::string> LeaseTable::names(std::string_view pattern) const {
  std::vector<std::string> names;
  for (const auto& [name, pool] : pools_) {
    if (matches(pattern, name)) {
      names.push_back(name);
    }
  }
  return names;
}

std::vector<std::string> LeaseTable::used() const {
  std::vector<std::string> names;
  for (const auto& [name, pool] : pools_) {
    if (pool.taken() != 0) {
      names.push_back(name);
    }
  }
  return names;
}

bool LeaseTable::forget(const std::string& name) {
  const auto it = pools_.find(name);
  if (it == pools_.end() || it->second.taken() != 0 || it->second.failed_runs != 0) {
    return false;
  }
  opened_ = nullptr;
  pools_.erase(it);
  return true;
}

void LeaseTable::forget_failures(std::string_view pattern) {
  for (auto& [name, pool] : pools_) {
    pool.failed_runs = matches(pattern, name) ? 0 : pool.failed_runs;
  }
}

HeldLease& LeaseTable::grant(LeasePool& pool, const Acquire& question, Token token, Time now) {
  assert(token <= max_token);
  const auto node = pool.held.try_emplace(question.owner).first;
  HeldLease& held = node->second;
  held.owner = &node->first;
  held.token = token;
  held.since = now;
  held.length = question.length;
  held.note = question.note;
  link(pool, held);
  start_time(pool, held, now);
  return held;
}

HeldLease* LeaseTable::restore(LeasePool& pool, const Lease& lease,
                               std::optional<std::chrono::seconds> length) {
  const auto [node, is_new] = pool.held.try_emplace(lease.owner);
  if (!is_new) {
    return nullptr;
  }
  HeldLease& held = node->second;
  held.owner = &node->first;
  held.token = lease.token;
  held.since = lease.since;
  held.length = length;
  held.note = lease.note;
  link(pool, held);
  const auto before = distributex::first_end(pool);
  held.ends = lease.ends;
  if (held.ends) {
    pool.ends.emplace(*held.ends, held.owner);
  }
  schedule(pool, before);
  return &held;
}

void LeaseTable::renew(LeasePool& pool, HeldLease& held, std::optional<std::chrono::seconds> length,
                       Time now) {
  if (length && held.length) {
    held.length = length;
  }
  start_time(pool, held, now);
}

Verdict LeaseTable::release(LeasePool& pool, HeldLease& held) {
  Verdict verdict;
  verdict.kind = Verdict::Kind::released;
  verdict.token = held.token;
  verdict.since = held.since;
  stop_time(pool, held);
  unlink(pool, held);
  pool.held.erase(*held.owner);
  return verdict;
}

Verdict LeaseTable::without(Verdict::Kind kind) {
  Verdict verdict;
  verdict.kind = kind;
  return verdict;
}

Verdict LeaseTable::refused(std::string reason) {
  Verdict verdict = without(Verdict::Kind::failed);
  verdict.reason = std::move(reason);
  return verdict;
}

Happening LeaseTable::evicted(const LeasePool& pool, const HeldLease& held, const Order& order,
                              Time now) {
  return {.kind = Happening::Kind::evicted,
          .pool = pool.name,
          .owner = *held.owner,
          .token = held.token,
          .reason = order.reason,
          .by = order.by,
          .held = now - held.since};
}

Verdict LeaseTable::granted(const LeasePool& pool, const HeldLease& held, uint32_t slots,
                            Time now) {
  Verdict verdict = found(Verdict::Kind::granted, held);
  verdict.retry_at = pool.taken() < slots ? now : distributex::first_end(pool);
  return verdict;
}

Verdict LeaseTable::found(Verdict::Kind kind, const HeldLease& held) {
  Verdict verdict;
  verdict.kind = kind;
  verdict.token = held.token;
  verdict.ends = held.ends;
  return verdict;
}

Verdict LeaseTable::full(const LeasePool& pool) {
  Verdict verdict;
  verdict.kind = Verdict::Kind::full;
  verdict.retry_at = distributex::first_end(pool);
  return verdict;
}

Verdict LeaseTable::full(const Freeze& freeze) {
  Verdict verdict;
  verdict.kind = Verdict::Kind::full;
  verdict.retry_at = freeze.until;
  return verdict;
}

std::vector<Lease> LeaseTable::leases(std::string_view name, size_t most) const {
  std::vector<Lease> oldest;
  const auto pool = pools_.find(name);
  const HeldLease* held = pool == pools_.end() ? nullptr : pool->second.oldest;
  for (; held && oldest.size() < most; held = held->newer) {
    oldest.push_back(held->lease());
  }
  return oldest;
}

std::vector<Rest> LeaseTable::rests(std::string_view name, size_t most) const {
  std::vector<Rest> rests;
  const auto pool = pools_.find(name);
  if (pool == pools_.end()) {
    return rests;
  }
  for (const auto& [ends, token] : pool->second.rests) {
    if (rests.size() == most) {
      break;
    }
    rests.push_back(pool->second.resting.at(token));
  }
  return rests;
}

size_t LeaseTable::resting(std::string_view name) const {
  const auto pool = pools_.find(name);
  return pool == pools_.end() ? 0 : pool->second.resting.size();
}

size_t LeaseTable::held(std::string_view name) const {
  const auto pool = pools_.find(name);
  return pool == pools_.end() ? 0 : pool->second.held.size();
}

}  // namespace distributex
