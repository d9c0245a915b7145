// SPDX-License-Identifier: MIT
// What the core shows of leases, rests and waiters. All of it comes from the mirror.
#include <algorithm>
#include <utility>

#include "backends/etcd/core.h"

namespace distributex {

namespace {

constexpr std::chrono::milliseconds survey_limit{1000};

}  // namespace

void EtcdCore::survey(std::function<void()> ready, Time now) {
  surveys_.emplace_back(now + survey_limit, std::move(ready));
  settle_down(now);
}

// The mirror may lag behind answers that this server got: surveys wait until it shows them.
void EtcdCore::end_surveys(Time now) {
  const bool is_level = follower_.is_live() && world_.mirror.revision() >= world_.owed_revision;
  std::erase_if(surveys_, [&](auto& survey) {
    if (!is_level && now < survey.first) {
      return false;
    }
    surveyed_.push_back(std::move(survey.second));
    return true;
  });
}

std::vector<Lease> EtcdCore::leases(std::string_view name, size_t most, Time now) const {
  std::vector<Lease> oldest;
  const EtcdPool* pool = world_.mirror.find(name);
  if (!pool) {
    return oldest;
  }
  const std::string owned(name);
  for (const auto& [create, owner] : pool->by_age) {
    if (oldest.size() >= most) {
      break;
    }
    oldest.push_back(world_.shown(owned, pool->leases.at(owner), now));
  }
  return oldest;
}

size_t EtcdCore::held(std::string_view name) const {
  const EtcdPool* pool = world_.mirror.find(name);
  return pool ? pool->leases.size() : 0;
}

std::vector<Rest> EtcdCore::rests(std::string_view name, size_t most) const {
  std::vector<Rest> list;
  const EtcdPool* pool = world_.mirror.find(name);
  if (!pool) {
    return list;
  }
  const std::string owned(name);
  for (const auto& [token, rest] : pool->rests) {
    list.push_back(world_.shown(owned, rest));
  }
  std::sort(list.begin(), list.end(), [](const Rest& a, const Rest& b) { return a.ends < b.ends; });
  list.resize(std::min(most, list.size()));
  return list;
}

size_t EtcdCore::resting(std::string_view name) const {
  const EtcdPool* pool = world_.mirror.find(name);
  return pool ? pool->rests.size() : 0;
}

size_t EtcdCore::waiting_elsewhere(std::string_view name) const {
  const EtcdPool* pool = world_.mirror.find(name);
  size_t sum = 0;
  if (!pool) {
    return sum;
  }
  for (const auto& [server, ticket] : pool->tickets) {
    if (server != world_.settings.server) {
      sum += ticket.count;
    }
  }
  return sum;
}

}  // namespace distributex
