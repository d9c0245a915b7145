// SPDX-License-Identifier: MIT
// The leases of all pools in this process's memory, each ended at its own
// moment of the monotonic clock. It decides on the spot; a backend that keeps
// them elsewhere as well says so beside each lease. Keeps no queue of waiters.
// A pool's leases stay until they end, even when the pool leaves the
// configuration, so that it can come back without a double grant.
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
  const Owner* owner = nullptr;  // its key in the pool
  Token token = 0;
  Time since{};
  std::optional<Time> ends;                    // nothing: never
  std::optional<std::chrono::seconds> length;  // nothing: it never ends
  uint64_t stored = 0;  // a durable backend's: the batch that its last change is in
  uint64_t share = 0;   // and what of a sum is its own
  std::string note{};
  HeldLease* older = nullptr;
  HeldLease* newer = nullptr;

  [[nodiscard]] Lease lease() const {
    return {.owner = *owner, .token = token, .since = since, .ends = ends, .note = note};
  }
};

struct LeasePool {
  std::string name;
  uint64_t stored = 0;  // as in its leases: the batch of the last change to any
  using Held = std::pair<const Owner, HeldLease>;
  using End = std::pair<Time, const Owner*>;

  std::map<Owner, HeldLease, std::less<>, Slab<Held>> held;
  std::set<End, std::less<>, Slab<End>> ends;  // of those that end; owners in held
  std::map<Token, Rest> resting;               // slots that stay closed
  std::set<std::pair<Time, Token>> rests;      // the same by their ends
  uint32_t failed_runs = 0;                    // in a row
  HeldLease* oldest = nullptr;                 // the chain of held, as they were granted
  HeldLease* newest = nullptr;

  [[nodiscard]] size_t taken() const { return held.size() + resting.size(); }
};

// The earlier of two moments that may not come.
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

  // The pool of that name, and then without the leases that are over.
  LeasePool& open(const std::string& name);
  LeasePool& open(const std::string& name, Time now);
  void end_due(LeasePool& pool, Time now);
  // The pool whose first end has come, if there is one.
  [[nodiscard]] LeasePool* due(Time now);
  [[nodiscard]] std::optional<Time> first_end() const;

  // The owner's lease; nothing when it has another token than that.
  [[nodiscard]] static HeldLease* find(LeasePool& pool, const Owner& owner,
                                       std::optional<Token> token);
  // The lease with this token, whoever has it; it walks the pool's leases.
  [[nodiscard]] static HeldLease* find(LeasePool& pool, Token token);
  // The names of the pools that a name or pattern matches.
  [[nodiscard]] std::vector<std::string> names(std::string_view pattern) const;
  // Drops a pool that has nothing but its name; false when it has more.
  bool forget(const std::string& pool);
  // Their runs are counted anew.
  void forget_failures(std::string_view pattern);
  HeldLease& grant(LeasePool& pool, const Acquire& question, Token token, Time now);
  // One that was granted earlier; nullptr when its owner has one already.
  HeldLease* restore(LeasePool& pool, const Lease& lease,
                     std::optional<std::chrono::seconds> length);
  void renew(LeasePool& pool, HeldLease& held, std::optional<std::chrono::seconds> length,
             Time now);
  Verdict release(LeasePool& pool, HeldLease& held);

  // Closes a slot; a rest that is over by now ends at the next tick.
  void rest(LeasePool& pool, Rest rest);

  // What there is to say about a lease or a pool as it is now.
  [[nodiscard]] static Verdict granted(const LeasePool& pool, const HeldLease& held, uint32_t slots,
                                       Time now);
  [[nodiscard]] static Verdict found(Verdict::Kind kind, const HeldLease& held);
  [[nodiscard]] static Verdict full(const LeasePool& pool);
  // Full, to whoever is not a holder, as long as the freeze lasts.
  [[nodiscard]] static Verdict full(const Freeze& freeze);
  [[nodiscard]] static Verdict without(Verdict::Kind kind);  // not_held, lost or done
  [[nodiscard]] static Verdict refused(std::string reason);
  // What there is to tell of a lease that is about to be evicted.
  [[nodiscard]] static Happening evicted(const LeasePool& pool, const HeldLease& held,
                                         const Order& order, Time now);

  [[nodiscard]] std::vector<Lease> leases(std::string_view pool, size_t most) const;
  [[nodiscard]] size_t held(std::string_view pool) const;
  // Those that end first, `most` of them; and how many there are.
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
