// SPDX-License-Identifier: MIT
// A pool as one revision of etcd shows it: how many leases, the gate, who waits.
// The mirror shows it, or, while the watch is behind, what the last transaction
// told; the two are never mixed, for count and gate of two revisions together
// would grant a slot twice. Also whose turn it is. Pure.
#pragma once

#include <chrono>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "backends/etcd/mirror.h"
#include "lock/words.h"

namespace distributex {

struct EtcdSight {
  uint64_t revision = 0;
  uint64_t count = 0;               // no more leases than this while the gate is as it is
  uint64_t gate = 0;                // its mod_revision
  std::vector<EtcdTicket> tickets;  // in the order of their turns

  // How many tickets go before that server's, or all of them if it has none.
  [[nodiscard]] size_t rank_of(const std::string& server) const;
  [[nodiscard]] bool has_ticket(const std::string& server) const;
};

class EtcdSights {
 public:
  // How long the first in turn may leave a free slot alone; the second waits
  // twice as long before it takes the slot instead, and so on.
  static constexpr std::chrono::milliseconds turn{300};

  explicit EtcdSights(const EtcdMirror& mirror) : mirror_(mirror) {}

  [[nodiscard]] EtcdSight of(const std::string& pool) const;
  // What a transaction told of the pool, all of it at that revision.
  void note(const std::string& pool, EtcdSight told);
  // This server's own grant, guarded by the gate of `before`, at that revision.
  void note_grant(const std::string& pool, EtcdSight before, uint64_t revision);
  // A lease that was there at `create` was removed at that revision.
  void note_removal(const std::string& pool, uint64_t create, uint64_t revision);
  void forget() { told_.clear(); }

  // Since when a slot is free, as far as this server has noticed; nothing: none is.
  std::optional<Time> free_since(const std::string& pool, uint64_t slots, Time now);
  // Somebody has taken a slot in turn: the turns begin anew.
  void restart_turns(const std::string& pool) { free_since_.erase(pool); }

 private:
  [[nodiscard]] EtcdSight mirrored(const std::string& pool) const;

  const EtcdMirror& mirror_;
  std::map<std::string, EtcdSight> told_;
  std::map<std::string, Time> free_since_;
};

[[nodiscard]] std::vector<EtcdTicket> in_turn(std::vector<EtcdTicket> tickets);

}  // namespace distributex
