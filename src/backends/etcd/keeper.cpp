// SPDX-License-Identifier: MIT
// An entry's end always belongs to the newest known write. An answer may tell of a write
// before or after the watch does.
#include "backends/etcd/keeper.h"

namespace distributex {

using std::chrono::milliseconds;

void EtcdKeeper::schedule(const Name& name, Entry& entry, std::optional<Time> ends) {
  if (entry.ends) {
    ends_.erase({*entry.ends, name});
  }
  entry.ends = ends;
  if (ends) {
    ends_.emplace(*ends, name);
  }
}

void EtcdKeeper::wrote(const std::string& pool, const Owner& owner, const EtcdKept& kept) {
  const Name name{pool, owner};
  Entry& entry = entries_[name];
  if (entry.mod > kept.mod) {
    return;  // the watch knows of a later write
  }
  entry.kept = kept;
  entry.mod = kept.mod;
  schedule(name, entry, kept.ends);
}

void EtcdKeeper::saw(const std::string& pool, const EtcdLease& lease) {
  const Name name{pool, lease.owner};
  Entry& entry = entries_[name];
  if (entry.mod > lease.mod || (entry.kept && entry.kept->mod == lease.mod)) {
    return;
  }
  entry.kept.reset();
  entry.mod = lease.mod;
  std::optional<Time> ends;
  if (lease.value.left != 0) {
    const milliseconds left(lease.value.left);
    const auto random = milliseconds(random_() % static_cast<uint64_t>(jitter.count()));
    ends = lease.began + left + left / 1000 + grace + random;
  }
  schedule(name, entry, ends);
}

void EtcdKeeper::gone(const std::string& pool, const Owner& owner, uint64_t revision) {
  const auto it = entries_.find({pool, owner});
  if (it == entries_.end() || it->second.mod > revision) {
    return;
  }
  schedule(it->first, it->second, std::nullopt);
  entries_.erase(it);
}

void EtcdKeeper::forget() {
  entries_.clear();
  ends_.clear();
}

void EtcdKeeper::given_back(const std::string& pool, const Owner& owner) {
  const auto it = entries_.find({pool, owner});
  if (it != entries_.end() && it->second.kept) {
    it->second.kept->is_given_back = true;
  }
}

// Ignored if a later write is known: that write has another end.
void EtcdKeeper::postpone(const EtcdDue& due, Time until) {
  const auto it = entries_.find({due.pool, due.owner});
  if (it != entries_.end() && it->second.mod == due.mod && it->second.ends) {
    schedule(it->first, it->second, until);
  }
}

const EtcdKept* EtcdKeeper::find(const std::string& pool, const Owner& owner) const {
  const auto it = entries_.find({pool, owner});
  return it == entries_.end() || !it->second.kept ? nullptr : &*it->second.kept;
}

std::optional<Time> EtcdKeeper::first() const {
  return ends_.empty() ? std::nullopt : std::optional{ends_.begin()->first};
}

std::vector<EtcdDue> EtcdKeeper::due(Time now) const {
  std::vector<EtcdDue> list;
  for (const auto& [ends, name] : ends_) {
    if (ends > now) {
      break;
    }
    const Entry& entry = entries_.at(name);
    list.push_back({name.first, name.second, entry.mod, entry.kept.has_value()});
  }
  return list;
}

}  // namespace distributex
