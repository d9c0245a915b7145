// SPDX-License-Identifier: MIT
// The leases of all pools in this process's memory, each ended at its own
// moment of the monotonic clock. Answers at once; a backend that stores leases
// on disk too notes that in `stored` and `share`. Keeps no queue of waiters.
// When a pool leaves the configuration, its leases stay until they end, so that
// the pool can come back without a double grant.
#pragma once

#include <algorithm>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/name_map.h"
#include "base/slab.h"
#include "lock/words.h"

namespace distributex {

struct HeldLease {
  const Owner* owner = nullptr;  // the key in LeasePool::held
  Token token = 0;
  Time since{};
  std::optional<Time> ends;                    // nullopt: never
  std::optional<std::chrono::seconds> length;  // nullopt: it never ends
  uint64_t stored = 0;                         // sqlite: the batch that holds the last change
  uint64_t share = 0;  // sqlite: what this lease adds to the sum over all rows
  std::string note{};
  HeldLease* older = nullptr;
  HeldLease* newer = nullptr;

  [[nodiscard]] Lease lease() const {
    return {.owner = *owner, .token = token, .since = since, .ends = ends, .note = note};
  }
};

struct LeasePool {
  std::string name;
  uint64_t stored = 0;  // sqlite: the batch that holds the last change to any lease
  using Held = std::pair<const Owner, HeldLease>;
  using End = std::pair<Time, const Owner*>;

  std::map<Owner, HeldLease, std::less<>, Slab<Held>> held;
  std::set<End, std::less<>, Slab<End>> ends;  // the leases that end; owners point into held
  std::map<Token, Rest> resting;               // slots that stay closed
  std::set<std::pair<Time, Token>> rests;      // the keys of resting, by their ends
  uint32_t failed_runs = 0;                    // in a row
  HeldLease* oldest = nullptr;                 // the list of held, in the order of the grants
  HeldLease* newest = nullptr;

  [[nodiscard]] size_t taken() const { return held.size() + resting.size(); }
};

// The earlier of two moments; nullopt means "never".
[[nodiscard]] inline std::optional<Time> earlier(std::optional<Time> a, std::optional<Time> b) {
  return a && b ? std::min(*a, *b) : a ? a : b;
}

class LeaseTable {
 public:
  // Called for each lease whose time has come, after it has left its pool.
  using Expired = std::function<void(LeasePool&, const HeldLease&)>;
  // Called for each rest that is over, after it has left its pool.
  using Rested = std::function<void(LeasePool&, Token)>;
  explicit LeaseTable(Expired expired, Rested rested)
      : expired_(std::move(expired)), rested_(std::move(rested)) {}
  LeaseTable(const LeaseTable&) = delete;
  LeaseTable& operator=(const LeaseTable&) = delete;

  // Returns the pool of that name; makes an empty one if there is none. With `now` it
  // first ends the pool's leases and rests whose time is over.
  LeasePool& open(const std::string& name);
  LeasePool& open(const std::string& name, Time now);
  void end_due(LeasePool& pool, Time now);
  // Returns a pool with a lease or rest whose time is over, or nullptr.
  [[nodiscard]] LeasePool* due(Time now);
  [[nodiscard]] std::optional<Time> first_end() const;

  // Returns the owner's lease; nullptr if it has another token than the given one.
  [[nodiscard]] static HeldLease* find(LeasePool& pool, const Owner& owner,
                                       std::optional<Token> token);
  // Returns the lease with this token, whoever owns it; walks all leases of the pool.
  [[nodiscard]] static HeldLease* find(LeasePool& pool, Token token);
  // The names of the pools that a name or pattern matches.
  [[nodiscard]] std::vector<std::string> names(std::string_view pattern) const;
  // The names of the pools that have leases or rests.
  [[nodiscard]] std::vector<std::string> used() const;
  // Drops the pool if it has no leases, rests or failed runs; else returns false.
  bool forget(const std::string& pool);
  // Sets the count of failed runs of all matching pools to 0.
  void forget_failures(std::string_view pattern);
  HeldLease& grant(LeasePool& pool, const Acquire& question, Token token, Time now);
  // Adds a lease that was granted earlier; nullptr if its owner has one already.
  HeldLease* restore(LeasePool& pool, const Lease& lease,
                     std::optional<std::chrono::seconds> length);
  void renew(LeasePool& pool, HeldLease& held, std::optional<std::chrono::seconds> length,
             Time now);
  Verdict release(LeasePool& pool, HeldLease& held);

  // Closes a slot; if the rest's time is over already, the next tick ends it.
  void rest(LeasePool& pool, Rest rest);

  // Verdicts about a lease or a pool as it is now.
  [[nodiscard]] static Verdict granted(const LeasePool& pool, const HeldLease& held, uint32_t slots,
                                       Time now);
  [[nodiscard]] static Verdict found(Verdict::Kind kind, const HeldLease& held);
  [[nodiscard]] static Verdict full(const LeasePool& pool);
  // For an owner without a lease: the pool is full as long as the freeze lasts.
  [[nodiscard]] static Verdict full(const Freeze& freeze);
  [[nodiscard]] static Verdict without(Verdict::Kind kind);  // not_held, lost or done
  [[nodiscard]] static Verdict refused(std::string reason);
  // What to announce of a lease that is about to be evicted.
  [[nodiscard]] static Happening evicted(const LeasePool& pool, const HeldLease& held,
                                         const Order& order, Time now);

  [[nodiscard]] std::vector<Lease> leases(std::string_view pool, size_t most) const;
  [[nodiscard]] size_t held(std::string_view pool) const;
  // The `most` rests that end first; and how many there are.
  [[nodiscard]] std::vector<Rest> rests(std::string_view pool, size_t most) const;
  [[nodiscard]] size_t resting(std::string_view pool) const;

 private:
  void start_time(LeasePool& pool, HeldLease& held, Time now);
  void stop_time(LeasePool& pool, const HeldLease& held);
  void schedule(LeasePool& pool, std::optional<Time> before);

  Expired expired_;
  Rested rested_;
  NameMap<LeasePool> pools_;
  LeasePool* opened_ = nullptr;  // the last one: a release and the next grant are of one pool
  using End = std::pair<Time, LeasePool*>;
  std::set<End, std::less<>, Slab<End>> ends_;  // the first end of each pool
};

}  // namespace distributex
