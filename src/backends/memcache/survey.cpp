// SPDX-License-Identifier: MIT
// What pages show: the slots of all pools as memcached has them. A survey reads them again
// if the last survey is older than fresh_enough.
#include <algorithm>

#include "backends/memcache/backend.h"
#include "base/clock.h"

namespace distributex {

namespace {

constexpr std::chrono::milliseconds fresh_enough{300};   // a survey is used again for so long
constexpr std::chrono::milliseconds survey_limit{1500};  // after it pages show what is known

}  // namespace

void MemcacheBackend::survey(std::function<void()> ready, Time now) {
  if (surveyed_ && now - *surveyed_ < fresh_enough) {
    return ready();
  }
  waiting_.push_back(std::move(ready));
  if (survey_open_ != 0) {
    return;
  }
  std::vector<SurveyPools> parts(servers_.size());
  for (const auto& [name, pool] : pools_) {
    if (pool.configured) {
      parts[pool.server].pools.push_back(pool.ref);
    }
  }
  survey_++;
  survey_began_ = now;
  survey_ends_ = now + survey_limit;
  for (size_t i = 0; i < servers_.size(); i++) {
    if (parts[i].pools.empty()) {
      continue;
    }
    parts[i].survey = survey_;
    survey_open_++;
    servers_[i]->worker().post({std::move(parts[i]), {}, survey_ends_});
  }
  if (survey_open_ == 0) {
    end_survey();
  }
}

void MemcacheBackend::apply(size_t server, PoolsSeen& seen, Time now) {
  for (size_t i = 0; i < seen.seen.size(); i++) {
    MemcachePool& pool = pool_of(seen.pools[i].name);
    pool.see(std::move(seen.seen[i]));
    if (pool.full && pool.seen().size() < pool.slots) {
      pool.full = false;
      pool.poll.reset();
      sink_.changed(pool.ref.name);
    }
  }
  if (!seen.seen.empty()) {
    servers_[server]->note_alive(now);
  }
  if (!seen.last || seen.survey != survey_ || survey_open_ == 0) {
    return;
  }
  if (--survey_open_ == 0) {
    surveyed_ = survey_began_;
    end_survey();
  }
}

void MemcacheBackend::end_survey() {
  survey_open_ = 0;
  for (const auto& ready : std::exchange(waiting_, {})) {
    ready();
  }
}

std::vector<Lease> MemcacheBackend::leases(std::string_view name, size_t most) const {
  std::vector<Lease> all;
  const auto it = pools_.find(name);
  if (it == pools_.end()) {
    return all;
  }
  const MemcachePool& pool = it->second;
  const Time now = steady_now();
  for (size_t i = pool.claims(); i < pool.seen().size() && all.size() < most; i++) {
    if (pool.seen()[i].is_lease()) {
      all.push_back(lease_of(pool, pool.seen()[i], now));
    }
  }
  return all;
}

size_t MemcacheBackend::held(std::string_view name) const {
  const auto it = pools_.find(name);
  if (it == pools_.end()) {
    return 0;
  }
  const auto& seen = it->second.seen();
  return static_cast<size_t>(std::count_if(seen.begin(), seen.end(),
                                           [](const SlotLease& each) { return each.is_lease(); }));
}

std::vector<Rest> MemcacheBackend::rests(std::string_view name, size_t most) const {
  std::vector<Rest> all;
  const auto it = pools_.find(name);
  if (it == pools_.end()) {
    return all;
  }
  const Time now = steady_now();
  for (const SlotLease& slot : it->second.seen()) {
    if (slot.rest) {
      all.push_back({.owner = slot.owner,
                     .token = slot.token,
                     .ends = lease_of(it->second, slot, now).ends.value_or(now),
                     .why = *slot.rest});
    }
  }
  std::sort(all.begin(), all.end(), [](const Rest& a, const Rest& b) { return a.ends < b.ends; });
  all.resize(std::min(all.size(), most));
  return all;
}

size_t MemcacheBackend::resting(std::string_view name) const {
  return rests(name, SIZE_MAX).size();
}
}  // namespace distributex
