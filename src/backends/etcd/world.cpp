// SPDX-License-Identifier: MIT
// The steps that all questions share.
#include "backends/etcd/world.h"

#include <algorithm>
#include <array>
#include <cstdio>

#include "backends/rests.h"

namespace distributex {

EtcdWorld::EtcdWorld(EtcdSettings given)
    : settings(std::move(given)),
      keys(settings.prefix),
      mirror(keys, clock, settings.random, settings.wall_us),
      keeper(settings.random),
      rest_keeper(settings.random),
      sights(mirror) {}

std::string EtcdWorld::new_nonce() const {
  std::array<char, 17> text{};
  std::snprintf(text.data(), text.size(), "%016llx",
                static_cast<unsigned long long>(settings.random()));
  return text.data();
}

const EtcdLease* EtcdWorld::lease_of(const std::string& pool, const Owner& owner,
                                     const std::optional<EtcdLook>& look) const {
  if (look && look->revision > mirror.revision()) {
    return look->lease ? &*look->lease : nullptr;
  }
  return mirror.find(pool, owner);
}

Lease EtcdWorld::shown(const std::string& pool, const EtcdLease& lease, Time now) const {
  const uint64_t wall = settings.wall_us();
  const auto age = std::chrono::microseconds(wall - std::min(wall, lease.value.granted));
  Lease shown{.owner = lease.owner,
              .token = lease.token(),
              .since = lease.value.granted == 0 ? lease.began : now - age,
              .ends = {},
              .note = lease.value.note};
  const EtcdKept* kept = keeper.find(pool, lease.owner);
  if (kept && kept->mod == lease.mod) {
    shown.ends = kept->ends;
  } else if (lease.value.left != 0) {
    shown.ends = lease.began + std::chrono::milliseconds(lease.value.left);
  }
  return shown;
}

// --- what a transaction asks along ---

void EtcdWorld::add_owner(std::vector<EtcdOp>& ops, const std::string& pool,
                          const Owner& owner) const {
  ops.emplace_back(EtcdRange{.key = keys.base()});
  ops.emplace_back(EtcdRange{.key = keys.lease(pool, owner)});
}

void EtcdWorld::add_state(std::vector<EtcdOp>& ops, const std::string& pool,
                          const Owner& owner) const {
  add_owner(ops, pool, owner);
  const EtcdSpan tickets = keys.tickets(pool);
  const EtcdSpan leases = keys.leases(pool);
  ops.emplace_back(EtcdRange{.key = keys.gate(pool)});
  ops.emplace_back(EtcdRange{.key = tickets.from, .range_end = tickets.to});
  ops.emplace_back(EtcdRange{.key = leases.from, .range_end = leases.to, .count_only = true});
  ops.emplace_back(EtcdRange{.key = keys.rulings()});
}

EtcdLook EtcdWorld::note_owner(const Owner& owner, const EtcdAnswer& answer, size_t first,
                               Time now) {
  note_clock(answer, first, now);
  EtcdLook look{.revision = answer.revision, .lease = {}};
  for (const EtcdKv& kv : answer.parts.at(first + 1).kvs) {
    look.lease = mirror.read_lease(owner, kv, now);
  }
  return look;
}

EtcdLook EtcdWorld::note_state(const std::string& pool, const Owner& owner,
                               const EtcdAnswer& answer, size_t first, Time now) {
  EtcdSight sight{.revision = answer.revision, .tickets = {}};
  for (const EtcdKv& kv : answer.parts.at(first + 2).kvs) {
    sight.gate = kv.mod;
  }
  for (const EtcdKv& kv : answer.parts.at(first + 3).kvs) {
    const auto place = keys.place(kv.key);
    const auto* key = place ? std::get_if<EtcdTicketKey>(&*place) : nullptr;
    const auto value = parse_ticket(kv.value).value_or(EtcdTicketValue{});
    if (key) {
      sight.tickets.push_back({value.stamp, key->server, value.count, kv.mod});
    }
  }
  sight.tickets = in_turn(std::move(sight.tickets));
  sight.count = answer.parts.at(first + 4).count;
  sights.note(pool, std::move(sight));
  note_rulings(answer, first + 5);
  return note_owner(owner, answer, first, now);
}

void EtcdWorld::note_rulings(const EtcdAnswer& answer, size_t part) {
  if (answer.revision < rulings_at_) {
    return;
  }
  const auto& kvs = answer.parts.at(part).kvs;
  rulings_ = kvs.empty() ? 0 : kvs.front().mod;
  rulings_at_ = answer.revision;
}

bool EtcdWorld::is_ruling_behind() const {
  return rulings_at_ > mirror.revision() && rulings_ != mirror.standing().mod();
}

void EtcdWorld::note_runs(const std::string& pool, const EtcdAnswer& answer, size_t part) {
  EtcdRuns runs;
  for (const EtcdKv& kv : answer.parts.at(part).kvs) {
    runs = {.count = parse_runs(kv.value), .mod = kv.mod};
  }
  note_runs(pool, answer.revision, runs);
}

void EtcdWorld::note_runs(const std::string& pool, uint64_t revision, const EtcdRuns& runs) {
  Told& told = runs_[pool];
  if (revision >= told.revision) {
    told = {.revision = revision, .runs = runs};
  }
}

EtcdRuns EtcdWorld::runs_of(const std::string& pool) const {
  const auto told = runs_.find(pool);
  const bool is_newer = told != runs_.end() && told->second.revision > mirror.revision();
  return is_newer ? told->second.runs : mirror.standing().runs(pool);
}

std::vector<EtcdCompare> EtcdWorld::if_clock(uint64_t mod, const std::string& text) const {
  std::vector<EtcdCompare> compares{if_mod(keys.base(), mod)};
  if (mod != 0) {
    compares.push_back(
        {.target = EtcdCompare::Target::value, .key = keys.base(), .range_end = {}, .value = text});
  }
  return compares;
}

void EtcdWorld::add_clock(std::vector<EtcdCompare>& compares) const {
  for (EtcdCompare& compare : if_clock(clock.mod(), clock.text())) {
    compares.push_back(std::move(compare));
  }
}

// --- own changes ---

void EtcdWorld::note_clock(const EtcdKv& kv, Time now) {
  clock.note(kv, now);
  note_owed(kv.mod);
}

void EtcdWorld::note_clock(const EtcdAnswer& answer, size_t part, Time now) {
  for (const EtcdKv& kv : answer.parts.at(part).kvs) {
    note_clock(kv, now);
  }
}

void EtcdWorld::note_base(const std::string& value, uint64_t revision, Time now) {
  note_clock({.key = keys.base(), .value = value, .create = 0, .mod = revision}, now);
}

void EtcdWorld::note_removal(const std::string& pool, const EtcdLease& lease, uint64_t revision) {
  note_owed(revision);
  keeper.gone(pool, lease.owner, revision);
  sights.note_removal(pool, lease.create, revision);
}

void EtcdWorld::tell_expired(const std::string& pool, const EtcdLease& lease, Time now) {
  news.push_back({.pool = pool, .expired = shown(pool, lease, now)});
  news.push_back({.pool = pool});
}

// Does not tell sights: the rest takes the lease's slot, so the count stays the same.
void EtcdWorld::note_rest(const std::string& pool, const EtcdLease& lease, const Rest& rest,
                          uint64_t revision, Time now) {
  note_owed(revision);
  keeper.gone(pool, lease.owner, revision);
  rest_keeper.wrote(pool, rest_owner(rest.token), {rest.token, revision, rest.ends});
  happened.push_back(rested(pool, rest, now));
}

Rest EtcdWorld::shown(const std::string& pool, const EtcdRest& rest) const {
  const EtcdKept* kept = rest_keeper.find(pool, rest_owner(rest.token));
  const bool is_kept = kept && kept->mod == rest.mod && kept->ends;
  return {.owner = rest.value.owner,
          .token = rest.token,
          .ends = is_kept ? *kept->ends : rest.began + std::chrono::milliseconds(rest.value.left),
          .why = rest.value.why};
}

Owner rest_owner(Token token) { return {"", std::to_string(token)}; }

void EtcdWorld::set_back() {
  clock.forget();
  keeper.forget();
  rest_keeper.forget();
  sights.forget();
  runs_.clear();
  rulings_ = 0;
  rulings_at_ = 0;
  leftovers.clear();
  owed_revision = 0;
  is_ready = false;
}

std::optional<EtcdUnsettled> EtcdWorld::adopt(const std::string& pool, const Owner& owner) {
  const auto it = std::find_if(leftovers.begin(), leftovers.end(), [&](const EtcdUnsettled& each) {
    return !each.is_asked && each.pool == pool && each.owner == owner;
  });
  if (it == leftovers.end()) {
    return std::nullopt;
  }
  std::optional<EtcdUnsettled> adopted{std::move(*it)};
  leftovers.erase(it);
  return adopted;
}

EtcdCompare if_mod(std::string key, uint64_t revision) {
  return {.target = EtcdCompare::Target::mod,
          .key = std::move(key),
          .range_end = {},
          .revision = revision};
}

EtcdCompare if_create(std::string key, uint64_t revision) {
  return {.target = EtcdCompare::Target::create,
          .key = std::move(key),
          .range_end = {},
          .revision = revision};
}

}  // namespace distributex
