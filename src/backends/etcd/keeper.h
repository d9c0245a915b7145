// SPDX-License-Identifier: MIT
// When leases end. If this server wrote a lease last, it told the owner the end and ends
// the lease then, by its own monotonic clock. If another server did, this server ends the
// lease later than that server would, so that a dead or cut off server does not block a
// slot for ever. No server ends a lease earlier than its owner was told. Pure.
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
  std::optional<Time> ends;    // as the owner was told; nullopt: never
  bool is_given_back = false;  // etcd may still carry out a removal of this write
};

struct EtcdDue {
  std::string pool;
  Owner owner;
  uint64_t mod = 0;
  bool is_kept = false;
};

class EtcdKeeper {
 public:
  // How much later than its writer this server ends another server's lease: grace, a
  // thousandth of its time for clocks of different speed, and a random part of jitter, so
  // that servers do not all write at once.
  static constexpr std::chrono::milliseconds grace{1000};
  static constexpr std::chrono::milliseconds jitter{300};

  explicit EtcdKeeper(std::function<uint64_t()> random) : random_(std::move(random)) {}

  void wrote(const std::string& pool, const Owner& owner, const EtcdKept& kept);
  void saw(const std::string& pool, const EtcdLease& lease);
  // The lease's key was deleted at that revision.
  void gone(const std::string& pool, const Owner& owner, uint64_t revision);
  void forget();
  // A removal of the newest write was sent.
  void given_back(const std::string& pool, const Owner& owner);
  // An end of that write failed or is under way: the lease is not due before `until`.
  void postpone(const EtcdDue& due, Time until);

  // Returns nullptr unless this server made the newest known write.
  [[nodiscard]] const EtcdKept* find(const std::string& pool, const Owner& owner) const;
  [[nodiscard]] std::optional<Time> first() const;
  // The leases whose end has come; each stays due until it is gone or postponed.
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
