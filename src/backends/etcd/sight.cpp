// SPDX-License-Identifier: MIT
// While the gate's revision stays the same, there are at most `count` leases: only grants
// add leases, and each grant changes the gate. A removal lowers the count only if the count
// includes the lease.
#include "backends/etcd/sight.h"

#include <algorithm>
#include <tuple>

namespace distributex {

size_t EtcdSight::rank_of(const std::string& server) const {
  size_t rank = 0;
  for (const EtcdTicket& ticket : tickets) {
    if (ticket.server == server) {
      break;
    }
    rank++;
  }
  return rank;
}

bool EtcdSight::has_ticket(const std::string& server) const {
  return rank_of(server) < tickets.size();
}

std::vector<EtcdTicket> in_turn(std::vector<EtcdTicket> tickets) {
  std::sort(tickets.begin(), tickets.end(), [](const EtcdTicket& a, const EtcdTicket& b) {
    return std::tie(a.stamp, a.server) < std::tie(b.stamp, b.server);
  });
  return tickets;
}

EtcdSight EtcdSights::mirrored(const std::string& name) const {
  EtcdSight sight{.revision = mirror_.revision(), .tickets = {}};
  const EtcdPool* pool = mirror_.find(name);
  if (!pool) {
    return sight;
  }
  sight.count = pool->taken();
  sight.gate = pool->gate;
  for (const auto& [server, ticket] : pool->tickets) {
    sight.tickets.push_back(ticket);
  }
  sight.tickets = in_turn(std::move(sight.tickets));
  return sight;
}

EtcdSight EtcdSights::of(const std::string& pool) const {
  const auto told = told_.find(pool);
  if (told != told_.end() && told->second.revision > mirror_.revision()) {
    return told->second;
  }
  return mirrored(pool);
}

void EtcdSights::note(const std::string& pool, EtcdSight told) {
  EtcdSight& known = told_[pool];
  // What is known of the same revision may be derived by note_removal(): prefer `told`.
  if (told.revision >= known.revision) {
    known = std::move(told);
  }
}

void EtcdSights::note_grant(const std::string& pool, EtcdSight before, uint64_t revision) {
  before.revision = revision;
  before.gate = revision;
  before.count++;
  note(pool, std::move(before));
}

void EtcdSights::note_removal(const std::string& pool, uint64_t create, uint64_t revision) {
  EtcdSight sight = of(pool);
  if (create > sight.revision || revision <= sight.revision || sight.count == 0) {
    return;
  }
  sight.revision = revision;
  sight.count--;
  note(pool, std::move(sight));
}

std::optional<Time> EtcdSights::free_since(const std::string& pool, uint64_t slots, Time now) {
  if (of(pool).count >= slots) {
    free_since_.erase(pool);
    return std::nullopt;
  }
  return free_since_.try_emplace(pool, now).first->second;
}

}  // namespace distributex
