// SPDX-License-Identifier: MIT
// When leases end. This server tells the end of each lease that it wrote last,
// on its own monotonic clock, and ends it then. Every other lease it ends later
// than its writer would: a server that is dead or cut off must not keep a slot
// for ever. Nobody ends a lease before what its owner was told. Pure.
#pragma once

#include <chrono>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "backends/etcd/mirror.h"
#include "lock/words.h"

namespace distributex {

// A lease that this server wrote last, as far as it knows.
struct EtcdKept {
  Token token = 0;
  uint64_t mod = 0;
  std::optional<Time> ends;    // as told; nothing: never
  bool is_given_back = false;  // a removal of this very write may still be carried out
};

struct EtcdDue {
  std::string pool;
  Owner owner;
  uint64_t mod = 0;
  bool is_kept = false;
};

class EtcdKeeper {
 public:
  // How much later than its writer this server ends another's lease: a second,
  // a thousandth of its time for clocks that differ, and up to this at random
  // so that servers do not go for it all at once.
  static constexpr std::chrono::milliseconds grace{1000};
  static constexpr std::chrono::milliseconds jitter{300};

  explicit EtcdKeeper(std::function<uint64_t()> random) : random_(std::move(random)) {}

  void wrote(const std::string& pool, const Owner& owner, const EtcdKept& kept);
  void saw(const std::string& pool, const EtcdLease& lease);
  // By a deletion at that revision.
  void gone(const std::string& pool, const Owner& owner, uint64_t revision);
  void forget();
  // The newest write was asked to be taken back.
  void given_back(const std::string& pool, const Owner& owner);
  // Ending that write of it failed, or is under way: not before then.
  void postpone(const EtcdDue& due, Time until);

  // Nothing unless its newest known write is this server's.
  [[nodiscard]] const EtcdKept* find(const std::string& pool, const Owner& owner) const;
  [[nodiscard]] std::optional<Time> first() const;
  // Those whose end has come; each stays due until it is gone or postponed.
  [[nodiscard]] std::vector<EtcdDue> due(Time now) const;

 private:
  using Name = std::pair<std::string, Owner>;
  struct Entry {
    std::optional<EtcdKept> kept{};
    uint64_t mod = 0;  // of the write that `ends` belongs to
    std::optional<Time> ends{};
  };
  void schedule(const Name& name, Entry& entry, std::optional<Time> ends);

  std::function<uint64_t()> random_;
  std::map<Name, Entry> entries_;
  std::set<std::pair<Time, Name>> ends_;
};

}  // namespace distributex
