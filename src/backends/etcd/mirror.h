// SPDX-License-Identifier: MIT
// All keys below the prefix, as the watch has told them. Only the watch and its list write
// here, so all entries are of one revision. The mirror may be behind etcd: questions plan
// by it, and their transactions compare what they assumed. Pure.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "backends/etcd/clock.h"
#include "backends/etcd/key.h"
#include "backends/etcd/messages.h"
#include "backends/etcd/standing.h"
#include "backends/etcd/value.h"
#include "lock/words.h"

namespace distributex {

struct EtcdLease {
  Owner owner;
  EtcdLeaseValue value;  // all zero if another program wrote it; such a lease never ends
  uint64_t create = 0;
  uint64_t mod = 0;
  Time began{};  // the last grant or renewal was written at this moment at the latest

  [[nodiscard]] Token token() const { return create + value.offset; }
};

struct EtcdTicket {
  int64_t stamp = 0;
  std::string server;
  uint64_t count = 0;
  uint64_t mod = 0;
};

// A slot that stays closed for value.left, counted from `began` or earlier.
struct EtcdRest {
  EtcdRestValue value;
  Token token = 0;
  uint64_t mod = 0;
  Time began{};
};

struct EtcdPool {
  std::map<Owner, EtcdLease> leases;
  std::set<std::pair<uint64_t, Owner>> by_age;  // by the revision of the grant
  std::map<Token, EtcdRest> rests;
  std::map<std::string, EtcdTicket> tickets;  // by server
  uint64_t gate = 0;                          // mod_revision of the gate; 0: no grant yet

  [[nodiscard]] size_t taken() const { return leases.size() + rests.size(); }
};

struct EtcdChange {
  enum class Kind {
    lease,
    lease_gone,
    rest,
    rest_gone,
    ticket,
    ticket_gone,
    gate,
    freeze,
    freeze_gone
  };
  Kind kind = Kind::gate;
  std::string pool;      // freeze, freeze_gone: may be a pattern
  Owner owner{};         // lease, lease_gone
  std::string server{};  // ticket, ticket_gone
  uint64_t revision = 0;
  Token token = 0;                 // rest, rest_gone
  std::optional<Freeze> freeze{};  // freeze, freeze_gone
  std::string by{};                // freeze_gone: who thawed it; empty: its time is over
};

class EtcdMirror {
 public:
  EtcdMirror(const EtcdKeys& keys, EtcdClock& clock, std::function<uint64_t()> random,
             std::function<uint64_t()> wall_us)
      : keys_(keys), clock_(clock), standing_(std::move(random), std::move(wall_us)) {}

  [[nodiscard]] uint64_t revision() const { return revision_; }
  [[nodiscard]] const EtcdPool* find(std::string_view pool) const;
  [[nodiscard]] const EtcdLease* find(std::string_view pool, const Owner& owner) const;
  [[nodiscard]] const EtcdStanding& standing() const { return standing_; }
  [[nodiscard]] EtcdStanding& standing() { return standing_; }
  // Whether there are leases that end, rests or tickets: then the shared clock must step.
  [[nodiscard]] bool is_timed() const { return timed_ != 0; }
  [[nodiscard]] Token highest_token() const { return highest_token_; }

  // Replaces all entries by a list of one revision; an unchanged lease or rest keeps
  // `began`.
  [[nodiscard]] std::vector<EtcdChange> replace(const std::vector<EtcdKv>& all, uint64_t revision,
                                                Time now);
  // Applies events; ignores those of revisions that the mirror shows already.
  [[nodiscard]] std::vector<EtcdChange> apply(const std::vector<EtcdEvent>& events, Time now);

  // Reads a lease from an answer; does not store it here.
  [[nodiscard]] EtcdLease read_lease(const Owner& owner, const EtcdKv& kv, Time now) const;

 private:
  using Changes = std::vector<EtcdChange>;
  void put(const EtcdKv& kv, bool is_listed, Time now, Changes& changes);
  void remove(const EtcdKv& kv, Changes& changes);
  void put_lease(const EtcdLeaseKey& key, const EtcdKv& kv, Time now, Changes& changes);
  void remove_lease(const EtcdLeaseKey& key, uint64_t revision, Changes& changes);
  void put_rest(const EtcdRestKey& key, const EtcdKv& kv, Time now, Changes& changes);
  void remove_rest(const EtcdRestKey& key, uint64_t revision, Changes& changes);
  void remove_freeze(const std::string& name, uint64_t revision, Changes& changes);
  [[nodiscard]] Time began(int64_t clock, Time now) const;
  void put_ticket(const EtcdTicketKey& key, const EtcdKv& kv, Changes& changes);
  void remove_ticket(const EtcdTicketKey& key, uint64_t revision, Changes& changes);
  void remove_missing(const std::set<std::string>& present, uint64_t revision, Changes& changes);
  void drop_if_empty(std::map<std::string, EtcdPool, std::less<>>::iterator pool);

  const EtcdKeys& keys_;
  EtcdClock& clock_;
  EtcdStanding standing_;
  std::map<uint64_t, std::string> thaws_;  // revision: who thawed; of the events under way
  std::map<std::string, EtcdPool, std::less<>> pools_;
  uint64_t revision_ = 0;
  size_t timed_ = 0;
  Token highest_token_ = 0;
};

}  // namespace distributex
