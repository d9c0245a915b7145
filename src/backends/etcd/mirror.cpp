// SPDX-License-Identifier: MIT
// Turns keys and values into pools, leases and tickets. Ignores keys below the prefix that
// another program wrote.
#include "backends/etcd/mirror.h"

#include <algorithm>

namespace distributex {

const EtcdPool* EtcdMirror::find(std::string_view pool) const {
  const auto it = pools_.find(pool);
  return it == pools_.end() ? nullptr : &it->second;
}

const EtcdLease* EtcdMirror::find(std::string_view name, const Owner& owner) const {
  const EtcdPool* pool = find(name);
  if (!pool) {
    return nullptr;
  }
  const auto it = pool->leases.find(owner);
  return it == pool->leases.end() ? nullptr : &it->second;
}

EtcdLease EtcdMirror::read_lease(const Owner& owner, const EtcdKv& kv, Time now) const {
  EtcdLease lease{.owner = owner,
                  .value = parse_lease(kv.value).value_or(EtcdLeaseValue{}),
                  .create = kv.create,
                  .mod = kv.mod,
                  .began = now};
  lease.began = began(lease.value.clock, now);
  return lease;
}

Time EtcdMirror::began(int64_t clock, Time now) const {
  return clock_.is_known() ? std::min(now, clock_.latest_moment_of(clock)) : now;
}

std::vector<EtcdChange> EtcdMirror::replace(const std::vector<EtcdKv>& all, uint64_t revision,
                                            Time now) {
  Changes changes;
  std::set<std::string> present;
  // Take the clock first: put() computes from it how old the leases are.
  for (const EtcdKv& kv : all) {
    if (kv.key == keys_.base()) {
      clock_.note(kv, now);
    }
    present.insert(kv.key);
  }
  thaws_.clear();
  remove_missing(present, revision, changes);
  for (const EtcdKv& kv : all) {
    put(kv, true, now, changes);
  }
  revision_ = revision;
  return changes;
}

void EtcdMirror::remove_missing(const std::set<std::string>& present, uint64_t revision,
                                Changes& changes) {
  std::vector<EtcdKv> gone;
  for (const auto& [name, pool] : pools_) {
    for (const auto& [owner, lease] : pool.leases) {
      gone.push_back({.key = keys_.lease(name, owner)});
    }
    for (const auto& [server, ticket] : pool.tickets) {
      gone.push_back({.key = keys_.ticket(name, server)});
    }
    for (const auto& [token, rest] : pool.rests) {
      gone.push_back({.key = keys_.rest(name, token)});
    }
    gone.push_back({.key = keys_.gate(name)});
  }
  for (const std::string& name : standing_.frozen_names()) {
    gone.push_back({.key = keys_.freeze(name)});
  }
  for (const std::string& pool : standing_.failing_names()) {
    gone.push_back({.key = keys_.runs(pool)});
  }
  gone.push_back({.key = keys_.rulings()});
  for (EtcdKv& kv : gone) {
    if (present.contains(kv.key)) {
      continue;
    }
    kv.mod = revision;
    remove(kv, changes);
  }
}

std::vector<EtcdChange> EtcdMirror::apply(const std::vector<EtcdEvent>& events, Time now) {
  Changes changes;
  uint64_t highest = revision_;
  thaws_.clear();
  for (const EtcdEvent& event : events) {
    if (event.kv.key == keys_.rulings()) {
      thaws_[event.kv.mod] = parse_rulings(event.kv.value).by;
    }
  }
  for (const EtcdEvent& event : events) {
    if (event.kv.mod <= revision_) {
      continue;
    }
    highest = std::max(highest, event.kv.mod);
    if (event.deleted) {
      remove(event.kv, changes);
    } else {
      put(event.kv, false, now, changes);
    }
  }
  revision_ = highest;
  return changes;
}

void EtcdMirror::put(const EtcdKv& kv, bool is_listed, Time now, Changes& changes) {
  const auto place = keys_.place(kv.key);
  if (!place) {
    return;
  }
  if (std::holds_alternative<EtcdBaseKey>(*place)) {
    clock_.note(kv, now);
  } else if (const auto* gate = std::get_if<EtcdGateKey>(&*place)) {
    pools_[gate->pool].gate = kv.mod;
    changes.push_back({.kind = EtcdChange::Kind::gate, .pool = gate->pool, .revision = kv.mod});
  } else if (const auto* lease = std::get_if<EtcdLeaseKey>(&*place)) {
    put_lease(*lease, kv, now, changes);
  } else if (const auto* ticket = std::get_if<EtcdTicketKey>(&*place)) {
    put_ticket(*ticket, kv, changes);
  } else if (const auto* rest = std::get_if<EtcdRestKey>(&*place)) {
    put_rest(*rest, kv, now, changes);
  } else if (const auto* runs = std::get_if<EtcdRunsKey>(&*place)) {
    standing_.put_runs(runs->pool, kv);
  } else if (std::holds_alternative<EtcdRulingsKey>(*place)) {
    standing_.put_rulings(kv.mod);
  } else if (const auto* key = std::get_if<EtcdFreezeKey>(&*place)) {
    if (auto freeze = standing_.put_freeze(key->name, kv, is_listed, now)) {
      changes.push_back({.kind = EtcdChange::Kind::freeze,
                         .pool = key->name,
                         .revision = kv.mod,
                         .freeze = std::move(freeze)});
    }
  }
}

void EtcdMirror::remove(const EtcdKv& kv, Changes& changes) {
  const auto place = keys_.place(kv.key);
  if (!place) {
    return;
  }
  if (std::holds_alternative<EtcdBaseKey>(*place)) {
    if (kv.mod > clock_.mod()) {
      clock_.forget();
    }
  } else if (const auto* gate = std::get_if<EtcdGateKey>(&*place)) {
    const auto pool = pools_.find(gate->pool);
    if (pool == pools_.end()) {
      return;
    }
    pool->second.gate = 0;
    changes.push_back({.kind = EtcdChange::Kind::gate, .pool = gate->pool, .revision = kv.mod});
    drop_if_empty(pool);
  } else if (const auto* lease = std::get_if<EtcdLeaseKey>(&*place)) {
    remove_lease(*lease, kv.mod, changes);
  } else if (const auto* ticket = std::get_if<EtcdTicketKey>(&*place)) {
    remove_ticket(*ticket, kv.mod, changes);
  } else if (const auto* rest = std::get_if<EtcdRestKey>(&*place)) {
    remove_rest(*rest, kv.mod, changes);
  } else if (const auto* runs = std::get_if<EtcdRunsKey>(&*place)) {
    standing_.remove_runs(runs->pool);
  } else if (std::holds_alternative<EtcdRulingsKey>(*place)) {
    standing_.put_rulings(0);
  } else if (const auto* freeze = std::get_if<EtcdFreezeKey>(&*place)) {
    remove_freeze(freeze->name, kv.mod, changes);
  }
}

void EtcdMirror::put_lease(const EtcdLeaseKey& key, const EtcdKv& kv, Time now, Changes& changes) {
  EtcdPool& pool = pools_[key.pool];
  EtcdLease lease = read_lease(key.owner, kv, now);
  const auto [it, is_new] = pool.leases.try_emplace(key.owner, lease);
  if (!is_new) {
    // A new list may show the same write again: its time began at the earlier moment.
    if (it->second.mod == lease.mod && it->second.value.nonce == lease.value.nonce) {
      lease.began = std::min(lease.began, it->second.began);
    }
    if (it->second.value.left != 0) {
      timed_--;
    }
    pool.by_age.erase({it->second.create, key.owner});
    it->second = lease;
  }
  pool.by_age.emplace(lease.create, key.owner);
  if (lease.value.left != 0) {
    timed_++;
  }
  highest_token_ = std::max(highest_token_, std::min(lease.token(), max_token));
  changes.push_back(
      {.kind = EtcdChange::Kind::lease, .pool = key.pool, .owner = key.owner, .revision = kv.mod});
}

void EtcdMirror::remove_lease(const EtcdLeaseKey& key, uint64_t revision, Changes& changes) {
  const auto pool = pools_.find(key.pool);
  if (pool == pools_.end()) {
    return;
  }
  const auto lease = pool->second.leases.find(key.owner);
  if (lease == pool->second.leases.end()) {
    return;
  }
  if (lease->second.value.left != 0) {
    timed_--;
  }
  pool->second.by_age.erase({lease->second.create, key.owner});
  pool->second.leases.erase(lease);
  changes.push_back({.kind = EtcdChange::Kind::lease_gone,
                     .pool = key.pool,
                     .owner = key.owner,
                     .revision = revision});
  drop_if_empty(pool);
}

void EtcdMirror::put_rest(const EtcdRestKey& key, const EtcdKv& kv, Time now, Changes& changes) {
  EtcdRest rest{.value = parse_rest(kv.value).value_or(EtcdRestValue{}),
                .token = key.token,
                .mod = kv.mod,
                .began = now};
  rest.began = began(rest.value.clock, now);
  auto& rests = pools_[key.pool].rests;
  if (const auto known = rests.find(key.token); known == rests.end()) {
    timed_++;
  } else if (known->second.mod == rest.mod) {
    rest.began = std::min(rest.began, known->second.began);
  }
  rests.insert_or_assign(key.token, std::move(rest));
  changes.push_back(
      {.kind = EtcdChange::Kind::rest, .pool = key.pool, .revision = kv.mod, .token = key.token});
}

void EtcdMirror::remove_rest(const EtcdRestKey& key, uint64_t revision, Changes& changes) {
  const auto pool = pools_.find(key.pool);
  if (pool == pools_.end() || pool->second.rests.erase(key.token) == 0) {
    return;
  }
  timed_--;
  changes.push_back({.kind = EtcdChange::Kind::rest_gone,
                     .pool = key.pool,
                     .revision = revision,
                     .token = key.token});
  drop_if_empty(pool);
}

void EtcdMirror::remove_freeze(const std::string& name, uint64_t revision, Changes& changes) {
  auto freeze = standing_.remove_freeze(name);
  if (!freeze) {
    return;
  }
  const auto by = thaws_.find(revision);
  changes.push_back({.kind = EtcdChange::Kind::freeze_gone,
                     .pool = name,
                     .revision = revision,
                     .freeze = std::move(freeze),
                     .by = by == thaws_.end() ? "" : by->second});
}

void EtcdMirror::put_ticket(const EtcdTicketKey& key, const EtcdKv& kv, Changes& changes) {
  const EtcdTicketValue value = parse_ticket(kv.value).value_or(EtcdTicketValue{});
  auto& tickets = pools_[key.pool].tickets;
  if (!tickets.contains(key.server)) {
    timed_++;
  }
  tickets[key.server] = {
      .stamp = value.stamp, .server = key.server, .count = value.count, .mod = kv.mod};
  changes.push_back({.kind = EtcdChange::Kind::ticket,
                     .pool = key.pool,
                     .server = key.server,
                     .revision = kv.mod});
}

void EtcdMirror::remove_ticket(const EtcdTicketKey& key, uint64_t revision, Changes& changes) {
  const auto pool = pools_.find(key.pool);
  if (pool == pools_.end() || pool->second.tickets.erase(key.server) == 0) {
    return;
  }
  timed_--;
  changes.push_back({.kind = EtcdChange::Kind::ticket_gone,
                     .pool = key.pool,
                     .server = key.server,
                     .revision = revision});
  drop_if_empty(pool);
}

void EtcdMirror::drop_if_empty(std::map<std::string, EtcdPool, std::less<>>::iterator pool) {
  const EtcdPool& here = pool->second;
  if (here.gate == 0 && here.taken() == 0 && here.tickets.empty()) {
    pools_.erase(pool);
  }
}

}  // namespace distributex
