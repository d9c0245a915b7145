// SPDX-License-Identifier: MIT
// If a freeze has a time limit and the watch tells it, the time counts from that moment,
// which is never before the write. If a list shows it, the time left is computed by the wall
// clock, for the freeze may have stood while no server ran.
#include "backends/etcd/standing.h"

#include <algorithm>

#include "base/pattern.h"

namespace distributex {

using std::chrono::microseconds;
using std::chrono::milliseconds;

namespace {

bool chooses(std::string_view pattern, std::string_view name) {
  return name == pattern || (is_pattern(pattern) && matches(pattern, name));
}

template <typename Names>
std::vector<std::string> chosen(const Names& names, std::string_view pattern, size_t most) {
  std::vector<std::string> list;
  for (const auto& [name, entry] : names) {
    if (list.size() < most && chooses(pattern, name)) {
      list.push_back(name);
    }
  }
  return list;
}

}  // namespace

EtcdRuns EtcdStanding::runs(std::string_view pool) const {
  const auto it = runs_.find(pool);
  return it == runs_.end() ? EtcdRuns{} : it->second;
}

std::vector<std::string> EtcdStanding::frozen_names(std::string_view pattern, size_t most) const {
  return chosen(entries_, pattern, most);
}

std::vector<std::string> EtcdStanding::failing_names(std::string_view pattern, size_t most) const {
  return chosen(runs_, pattern, most);
}

std::optional<Time> EtcdStanding::first_end() const {
  std::optional<Time> first;
  for (const auto& [name, entry] : entries_) {
    if (entry.ends && (!first || *entry.ends < *first)) {
      first = entry.ends;
    }
  }
  return first;
}

std::vector<EtcdStanding::Due> EtcdStanding::due(Time now) const {
  std::vector<Due> list;
  for (const auto& [name, entry] : entries_) {
    if (entry.ends && *entry.ends <= now) {
      list.push_back({name, entry.mod});
    }
  }
  return list;
}

void EtcdStanding::postpone(const Due& due, Time until) {
  const auto it = entries_.find(due.name);
  if (it != entries_.end() && it->second.mod == due.mod && it->second.ends) {
    it->second.ends = until;
  }
}

std::optional<Freeze> EtcdStanding::put_freeze(const std::string& name, const EtcdKv& kv,
                                               bool is_listed, Time now) {
  const auto value = parse_freeze(kv.value).value_or(EtcdFreezeValue{});
  Entry& entry = entries_[name];
  if (entry.mod == kv.mod && entry.nonce == value.nonce) {
    return std::nullopt;
  }
  const uint64_t wall = wall_us_();
  const microseconds age(static_cast<int64_t>(wall - std::min(wall, value.since)));
  Freeze freeze{
      .pool = name, .reason = value.reason, .by = value.by, .since = now - age, .until = {}};
  entry = {.nonce = value.nonce, .mod = kv.mod, .ends = {}};
  const auto promised = promised_.extract(value.nonce);
  const milliseconds lasts(static_cast<int64_t>(value.lasts));
  if (!promised.empty()) {
    freeze.until = promised.mapped();
    entry.ends = freeze.until;
  } else if (value.lasts != 0) {
    freeze.until = is_listed ? std::max(now, freeze.since + lasts) : now + lasts;
    const auto random = milliseconds(random_() % static_cast<uint64_t>(jitter.count()));
    entry.ends = *freeze.until + grace + random;
  }
  (void)rulings_.freeze(freeze);
  return freeze;
}

std::optional<Freeze> EtcdStanding::remove_freeze(const std::string& name) {
  entries_.erase(name);
  return rulings_.lift(name);
}

void EtcdStanding::put_runs(const std::string& pool, const EtcdKv& kv) {
  runs_[pool] = {.count = parse_runs(kv.value), .mod = kv.mod};
}

}  // namespace distributex
