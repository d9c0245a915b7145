// SPDX-License-Identifier: MIT
// What operators do, slots that rest, and failed runs in a row. Patterns here end with
// their only '*'.
#include <algorithm>

#include "support/oracle.h"

namespace distributex::test {

namespace {

bool covers(const std::string& pattern, const std::string& name) {
  return pattern.ends_with('*') ? name.starts_with(pattern.substr(0, pattern.size() - 1))
                                : name == pattern;
}

}  // namespace

bool Oracle::is_frozen(const std::string& name) const {
  return std::any_of(freezes_.begin(), freezes_.end(),
                     [&](const auto& freeze) { return covers(freeze.first, name); });
}

bool Oracle::has_room(const Pool& pool) const {
  return !is_frozen(pool.spec->name) &&
         pool.leases.size() + pool.rests.size() < pool.spec->maxlocks;
}

void Oracle::freeze(Ticket ticket, const Command& request, Time now) {
  freezes_[request.pool] = request.lasts ? std::optional<Time>{now + *request.lasts} : std::nullopt;
  tell(ticket, Result::frozen);
}

void Oracle::thaw(Ticket ticket, const Command& request, Time now) {
  const bool any = std::erase_if(freezes_, [&](const auto& freeze) {
                     return covers(request.pool, freeze.first);
                   }) != 0;
  tell(ticket, any ? Result::thawed : Result::not_frozen);
  for (auto& [name, pool] : pools_) {
    if (covers(request.pool, name)) {
      pool.failed_runs = 0;
    }
    serve(pool, now);
  }
}

void Oracle::evict(Pool& pool, Ticket ticket, const Command& request, Time now) {
  const auto lease = std::find_if(pool.leases.begin(), pool.leases.end(), [&](const auto& each) {
    return token_of(each.grant) == request.token;
  });
  if (lease == pool.leases.end()) {
    return tell(ticket, Result::no_lease);
  }
  tell(ticket, Result::evicted);
  pool.leases.erase(lease);
  cut(request.pool, pool, now);
  serve(pool, now);
}

// A lease has ended by time, or was evicted.
void Oracle::cut(const std::string& name, Pool& pool, Time at) {
  if (pool.spec && pool.spec->lock_delay.count() != 0) {
    pool.rests.push_back(at + pool.spec->lock_delay);
  }
  count_run(name, pool, true);
}

void Oracle::count_run(const std::string& name, Pool& pool, bool failed) {
  const uint32_t limit = pool.spec ? pool.spec->freeze_after : 0;
  pool.failed_runs = failed && limit != 0 ? pool.failed_runs + 1 : 0;
  if (limit != 0 && pool.failed_runs >= limit) {
    freezes_[name] = std::nullopt;
    pool.failed_runs = 0;
  }
}

void Oracle::rest_after_release(Pool& pool, Time since, Time now) {
  const Time ends = std::max(since + pool.spec->min_hold, now + pool.spec->release_delay);
  if (ends > now) {
    pool.rests.push_back(ends);
  }
}

std::vector<Time> Oracle::rests(const std::string& pool) const {
  const auto it = pools_.find(pool);
  std::vector<Time> all = it == pools_.end() ? std::vector<Time>{} : it->second.rests;
  std::sort(all.begin(), all.end());
  return all;
}

}  // namespace distributex::test
