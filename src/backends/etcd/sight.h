// SPDX-License-Identifier: MIT
// A pool as one revision of etcd shows it: how many leases, the gate, which servers wait.
// It comes from the mirror or, while the watch is behind, from the last transaction. The two
// are never mixed: a count of one revision with the gate of another would grant a slot
// twice. Also which server's turn it is. Pure.
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
  uint64_t count = 0;               // at most so many leases and rests while the gate is `gate`
  uint64_t gate = 0;                // its mod_revision
  std::vector<EtcdTicket> tickets;  // in the order of their turns

  // How many tickets come before that server's; all of them if it has none.
  [[nodiscard]] size_t rank_of(const std::string& server) const;
  [[nodiscard]] bool has_ticket(const std::string& server) const;
};

class EtcdSights {
 public:
  // If a slot is free, the server whose ticket comes first takes it at once, the second one
  // after `turn`, the third one after twice that, and so on.
  static constexpr std::chrono::milliseconds turn{300};

  explicit EtcdSights(const EtcdMirror& mirror) : mirror_(mirror) {}

  [[nodiscard]] EtcdSight of(const std::string& pool) const;
  // Notes what a transaction told of the pool, all of one revision.
  void note(const std::string& pool, EtcdSight told);
  // Notes this server's grant at that revision, which compared the gate of `before`.
  void note_grant(const std::string& pool, EtcdSight before, uint64_t revision);
  // Notes the removal of a lease that was granted at revision `create`.
  void note_removal(const std::string& pool, uint64_t create, uint64_t revision);
  void forget() { told_.clear(); }

  // Since when this server has seen a free slot; nullopt: no slot is free.
  std::optional<Time> free_since(const std::string& pool, uint64_t slots, Time now);
  // A server took a slot in its turn: the waiting times of all servers start again.
  void restart_turns(const std::string& pool) { free_since_.erase(pool); }

 private:
  [[nodiscard]] EtcdSight mirrored(const std::string& pool) const;

  const EtcdMirror& mirror_;
  std::map<std::string, EtcdSight> told_;
  std::map<std::string, Time> free_since_;
};

[[nodiscard]] std::vector<EtcdTicket> in_turn(std::vector<EtcdTicket> tickets);

}  // namespace distributex
