// SPDX-License-Identifier: MIT
// The rules of the lock service, each as plain as possible, whatever it costs. Shares no code
// with the service that it checks.
#include "support/oracle.h"

#include <algorithm>
#include <utility>

namespace distributex::test {

using std::chrono::seconds;

namespace {

bool has_ended(const OracleLease& lease, Time now) { return lease.ends && *lease.ends <= now; }

std::optional<Duration> left(const OracleLease& lease, Time now) {
  return lease.ends ? std::optional<Duration>{*lease.ends - now} : std::nullopt;
}

}  // namespace

void Oracle::configure(const std::vector<PoolSpec>& pools, size_t max_waiting, Time now) {
  max_waiting_ = max_waiting;
  for (auto& [name, pool] : pools_) {
    pool.spec.reset();
  }
  for (const PoolSpec& spec : pools) {
    pools_[spec.name].spec = spec;
  }
  for (auto& [name, pool] : pools_) {
    if (!pool.spec) {
      for (const OracleWaiter& w : pool.waiters) {
        tell(w.ticket, Result::invalid, Fault::not_found);
      }
      pool.waiters.clear();
      pool.places.clear();
    }
    serve(pool, now);
  }
}

Fault Oracle::fault_of(const Command& request) const {
  const bool may_be_unknown =
      request.verb == Verb::thaw || (request.verb == Verb::freeze && request.pool.ends_with('*'));
  const auto it = pools_.find(request.pool);
  if (!may_be_unknown && (it == pools_.end() || !it->second.spec)) {
    return Fault::not_found;
  }
  if (request.verb != Verb::get && request.verb != Verb::wait) {
    return Fault::none;
  }
  const auto& hosts = it->second.spec->servers;
  if (hosts.empty()) {
    return Fault::none;
  }
  const bool listed = std::find(hosts.begin(), hosts.end(), request.owner.host) != hosts.end();
  return listed ? Fault::none : Fault::host_not_listed;
}

void Oracle::submit(Ticket ticket, const Command& request, Time now) {
  if (draining_) {
    return tell(ticket, Result::unavailable);
  }
  const Fault fault = fault_of(request);
  if (fault != Fault::none) {
    return tell(ticket, Result::invalid, fault);
  }
  switch (request.verb) {
    case Verb::get:
    case Verb::wait:
      return take(pools_[request.pool], ticket, request, now);
    case Verb::release:
    case Verb::renew:
      return change_lease(pools_[request.pool], ticket, request, now);
    case Verb::freeze:
      return freeze(ticket, request, now);
    case Verb::thaw:
      return thaw(ticket, request, now);
    case Verb::evict:
      return evict(pools_[request.pool], ticket, request, now);
  }
}

void Oracle::take(Pool& pool, Ticket ticket, const Command& request, Time now) {
  Ticket turn = ticket;
  if (request.verb == Verb::wait && request.timeout != Duration::zero()) {
    for (const OraclePlace& place : pool.places) {
      if (place.owner == request.owner && place.until > now) {
        turn = place.turn;
      }
    }
    pool.places.remove_if([&](const OraclePlace& place) { return place.owner == request.owner; });
  }
  if (const OracleLease* lease = lease_of(pool, request.owner, {})) {
    return tell_holder(pool, ticket, *lease, Result::held, now);
  }
  if (pool.waiters.empty() && has_room(pool)) {
    const OracleLease& lease = grant(pool, request.owner, request.expire, now);
    return tell_holder(pool, ticket, lease, Result::granted, now);
  }
  if (request.verb == Verb::get) {
    return tell(ticket, Result::busy);
  }
  if (request.timeout == Duration::zero()) {
    return tell(ticket, Result::timeout);
  }
  if (pool.waiters.size() >= max_waiting_) {
    return tell(ticket, Result::unavailable);
  }
  OracleWaiter waiter{ticket, turn, request.owner, now, {}, request.expire};
  if (request.timeout) {
    waiter.gives_up = now + *request.timeout;
  }
  auto behind = pool.waiters.begin();
  while (behind != pool.waiters.end() && behind->turn < turn) {
    ++behind;
  }
  pool.waiters.insert(behind, waiter);
}

// Who leaves the line without the lock can come back to its place for ten
// seconds; as many places are remembered as may wait.
void Oracle::remember(Pool& pool, const OracleWaiter& waiter, Time now) {
  Ticket turn = waiter.turn;
  for (const OraclePlace& place : pool.places) {
    if (place.owner == waiter.owner && place.until > now) {
      turn = std::min(turn, place.turn);
    }
  }
  pool.places.remove_if(
      [&](const OraclePlace& place) { return place.owner == waiter.owner || place.until <= now; });
  while (!pool.places.empty() && pool.places.size() >= max_waiting_) {
    pool.places.pop_front();
  }
  pool.places.push_back({waiter.owner, turn, now + seconds{10}});
}

const OracleLease& Oracle::grant(Pool& pool, const Owner& owner, std::optional<seconds> asked,
                                 Time now) {
  OracleLease lease{owner, ++last_grant_, now, length(*pool.spec, asked), {}};
  if (lease.length) {
    lease.ends = now + *lease.length;
  }
  return pool.leases.emplace_back(lease);
}

std::optional<seconds> Oracle::length(const PoolSpec& pool, std::optional<seconds> asked) {
  if (pool.expire == seconds{0}) {
    return std::nullopt;
  }
  return asked && *asked < pool.expire ? *asked : pool.expire;
}

void Oracle::change_lease(Pool& pool, Ticket ticket, const Command& request, Time now) {
  const bool renews = request.verb == Verb::renew;
  OracleLease* lease = lease_of(pool, request.owner, request.token);
  if (!lease) {
    return tell(ticket, renews ? Result::lost : Result::not_held);
  }
  if (renews) {
    if (request.expire && lease->length && pool.spec->expire != seconds{0}) {
      lease->length = length(*pool.spec, request.expire);
    }
    if (lease->length) {
      lease->ends = now + *lease->length;
    }
    answers_.push_back({ticket, Result::renewed, Fault::none, lease->grant, left(*lease, now)});
    return;
  }
  const Time since = lease->since;
  pool.leases.remove_if([&](const OracleLease& l) { return &l == lease; });
  tell(ticket, Result::released);
  rest_after_release(pool, since, now);
  if (request.outcome != Outcome::unknown) {
    count_run(request.pool, pool, request.outcome == Outcome::failed);
  }
  serve(pool, now);
}

OracleLease* Oracle::lease_of(Pool& pool, const Owner& owner, std::optional<Token> token) {
  for (OracleLease& lease : pool.leases) {
    if (lease.owner == owner && (!token || *token == token_of(lease.grant))) {
      return &lease;
    }
  }
  return nullptr;
}

Token Oracle::token_of(Grant grant) const {
  const auto it = tokens_.find(grant);
  return it == tokens_.end() ? 0 : it->second;
}

// Gives the free slots to those who wait, the first first, and tells all waits
// of a new holder.
void Oracle::serve(Pool& pool, Time now) {
  while (pool.spec && !pool.waiters.empty() && has_room(pool)) {
    const OracleWaiter first = pool.waiters.front();
    const OracleLease& lease = grant(pool, first.owner, first.expire, now);
    for (const OracleWaiter& w : pool.waiters) {
      if (w.owner == first.owner) {
        tell_holder(pool, w.ticket, lease,
                    w.ticket == first.ticket ? Result::granted : Result::held, now);
      }
    }
    pool.waiters.remove_if([&](const OracleWaiter& w) { return w.owner == first.owner; });
  }
}

void Oracle::tell(Ticket ticket, Result result, Fault fault) {
  answers_.push_back({ticket, result, fault, 0, {}});
}

void Oracle::tell_holder(Pool& pool, Ticket ticket, const OracleLease& lease, Result result,
                         Time now) {
  answers_.push_back({ticket, result, Fault::none, lease.grant, left(lease, now)});
  told_.push_back({ticket, pool.spec->name, lease.grant, Delivery::open});
  pool.places.remove_if([&](const OraclePlace& place) { return place.owner == lease.owner; });
}

void Oracle::arrived(Ticket ticket) {
  for (Told& told : told_) {
    if (told.ticket == ticket) {
      told.delivery = Delivery::arrived;
    }
  }
}

void Oracle::gone(Ticket ticket, Time now) {
  for (auto& [name, pool] : pools_) {
    for (const OracleWaiter& w : pool.waiters) {
      if (w.ticket == ticket) {
        remember(pool, w, now);
      }
    }
    pool.waiters.remove_if([&](const OracleWaiter& w) { return w.ticket == ticket; });
  }
  for (Told& told : told_) {
    if (told.ticket != ticket || told.delivery != Delivery::open) {
      continue;
    }
    told.delivery = Delivery::gone;
    return give_back_unheard(told.grant, now);
  }
}

// Ends the lease if all clients that were told of it have gone.
void Oracle::give_back_unheard(Grant grant, Time now) {
  std::string name;
  for (const Told& told : told_) {
    if (told.grant != grant) {
      continue;
    }
    if (told.delivery != Delivery::gone) {
      return;
    }
    name = told.pool;
  }
  Pool& pool = pools_[name];
  pool.leases.remove_if([&](const OracleLease& l) { return l.grant == grant; });
  serve(pool, now);
}

void Oracle::drain() {
  draining_ = true;
  for (auto& [name, pool] : pools_) {
    for (const OracleWaiter& w : pool.waiters) {
      tell(w.ticket, Result::unavailable);
    }
    pool.waiters.clear();
  }
}

std::optional<Time> Oracle::deadline() const {
  std::optional<Time> first;
  const auto consider = [&first](const std::optional<Time>& at) {
    if (at && (!first || *at < *first)) {
      first = at;
    }
  };
  for (const auto& [name, until] : freezes_) {
    consider(until);
  }
  for (const auto& [name, pool] : pools_) {
    for (const OracleLease& lease : pool.leases) {
      consider(lease.ends);
    }
    for (const Time end : pool.rests) {
      consider(end);
    }
    for (const OracleWaiter& waiter : pool.waiters) {
      consider(waiter.gives_up);
    }
  }
  return first;
}

// A lock that comes free at the very end of a wait still goes to it.
void Oracle::advance(Time now) {
  std::erase_if(freezes_,
                [&](const auto& freeze) { return freeze.second && *freeze.second <= now; });
  for (auto& [name, pool] : pools_) {
    std::erase_if(pool.rests, [&](Time end) { return end <= now; });
    for (auto it = pool.leases.begin(); it != pool.leases.end();) {
      if (!has_ended(*it, now)) {
        ++it;
        continue;
      }
      const Time at = *it->ends;
      it = pool.leases.erase(it);
      cut(name, pool, at);
    }
    serve(pool, now);
    for (const OracleWaiter& w : pool.waiters) {
      if (w.gives_up && *w.gives_up <= now) {
        remember(pool, w, now);
        tell(w.ticket, Result::timeout);
      }
    }
    pool.waiters.remove_if([&](const OracleWaiter& w) { return w.gives_up && *w.gives_up <= now; });
  }
  std::erase_if(told_, [this](const Told& told) {
    const auto& all = leases(told.pool);
    return std::none_of(all.begin(), all.end(),
                        [&](const OracleLease& l) { return l.grant == told.grant; });
  });
}

std::vector<OracleAnswer> Oracle::take_answers() { return std::exchange(answers_, {}); }

const std::list<OracleLease>& Oracle::leases(const std::string& pool) const {
  static const std::list<OracleLease> none;
  const auto it = pools_.find(pool);
  return it == pools_.end() ? none : it->second.leases;
}

const std::list<OracleWaiter>& Oracle::waiters(const std::string& pool) const {
  static const std::list<OracleWaiter> none;
  const auto it = pools_.find(pool);
  return it == pools_.end() ? none : it->second.waiters;
}

}  // namespace distributex::test
