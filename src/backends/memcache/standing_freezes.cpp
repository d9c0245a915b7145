// SPDX-License-Identifier: MIT
// Announces a freeze once, even if it stands on several memcacheds.
#include "backends/memcache/standing_freezes.h"

#include <algorithm>
#include <utility>

namespace distributex {

namespace {

constexpr const char* another_server = "another server";

}  // namespace

StandingFreezes::Union StandingFreezes::together() const {
  Union all;
  for (const Rulings& server : servers_) {
    for (Freeze& freeze : server.all()) {
      std::string name = freeze.pool;
      all.try_emplace(std::move(name), std::move(freeze));
    }
  }
  return all;
}

std::vector<Happening> StandingFreezes::see(size_t server, const std::vector<Freeze>& freezes,
                                            const std::string& by) {
  Rulings seen;
  for (const Freeze& freeze : freezes) {
    (void)seen.freeze(freeze);
  }
  servers_[server] = std::move(seen);
  std::vector<Happening> news;
  Union now = together();
  for (const auto& [name, freeze] : shown_) {
    if (!now.contains(name)) {
      news.push_back(thawed_by(freeze, by.empty() ? another_server : by));
    }
  }
  for (const auto& [name, freeze] : now) {
    const auto before = shown_.find(name);
    if (before == shown_.end() || before->second.reason != freeze.reason ||
        before->second.by != freeze.by || before->second.until != freeze.until) {
      news.push_back(frozen_by(freeze));
    }
  }
  shown_ = std::move(now);
  return news;
}

std::vector<StandingFreezes::Ended> StandingFreezes::end_due(Time now,
                                                             std::vector<Happening>& news) {
  std::vector<Ended> ended;
  for (size_t i = 0; i < servers_.size(); i++) {
    for (const Freeze& freeze : servers_[i].end_due(now)) {
      ended.push_back({i, freeze.pool});
      if (shown_.erase(freeze.pool) != 0) {
        news.push_back(thawed_by(freeze, {}));
      }
    }
  }
  return ended;
}

std::optional<Time> StandingFreezes::first_end() const {
  std::optional<Time> first;
  for (const Rulings& server : servers_) {
    if (const auto end = server.first_end(); end && (!first || *end < *first)) {
      first = end;
    }
  }
  return first;
}

std::vector<Freeze> StandingFreezes::all() const {
  std::vector<Freeze> all;
  for (auto& [name, freeze] : together()) {
    all.push_back(freeze);
  }
  return all;
}

}  // namespace distributex
