// SPDX-License-Identifier: MIT
// What all questions of this server share: what it knows of etcd, what it has
// promised, what it still has to clear up, and what it has to tell the engine.
// Plain data and the few things that every question does with it. Pure.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "backends/etcd/clock.h"
#include "backends/etcd/figures.h"
#include "backends/etcd/keeper.h"
#include "backends/etcd/key.h"
#include "backends/etcd/messages.h"
#include "backends/etcd/mirror.h"
#include "backends/etcd/sight.h"
#include "lock/pool_book.h"
#include "lock/words.h"

namespace distributex {

struct EtcdSettings {
  std::string prefix = "distributex/";
  std::string server;  // our name as keeper and on tickets; new with each start
  std::chrono::milliseconds timeout{3000};  // of one question
  std::function<uint64_t()> random;
  std::function<uint64_t()> wall_us;  // since 1970
};

// A write of which nothing is known. It can still be carried out while the
// clock's revision is `base`; then, and only then, its nonce appears in the key.
struct EtcdUnsettled {
  std::string pool;
  Owner owner;
  std::string nonce;
  uint64_t base = 0;
  std::string base_text{};  // what the clock is then
  Time sent{};
  bool is_grant = false;  // else it has written a lease anew
  Time not_before{};      // leave it to the one who waits for it until then
  bool is_asked = false;  // its removal is under way
};

// The owner's key as an answer told it, at that revision.
struct EtcdLook {
  uint64_t revision = 0;
  std::optional<EtcdLease> lease;
};

// How long after it was sent a grant may be told without another look whether a
// freeze stands, and how long a freeze is kept back after its commit, which is longer.
inline constexpr std::chrono::milliseconds told_within{200};
inline constexpr std::chrono::milliseconds freeze_told_after{250};

struct EtcdNewsOf {  // for the engine
  std::string pool;
  std::optional<Lease> expired{};  // nothing: a slot may have come free
};

struct EtcdWorld {
  explicit EtcdWorld(EtcdSettings given);
  EtcdWorld(const EtcdWorld&) = delete;
  EtcdWorld& operator=(const EtcdWorld&) = delete;

  [[nodiscard]] std::string new_nonce() const;
  // Seen in the mirror, or in an answer that is newer.
  [[nodiscard]] const EtcdLease* lease_of(const std::string& pool, const Owner& owner,
                                          const std::optional<EtcdLook>& look) const;
  [[nodiscard]] Lease shown(const std::string& pool, const EtcdLease& lease, Time now) const;

  // The ranges that tell all about a pool and one owner, at one revision.
  void add_state(std::vector<EtcdOp>& ops, const std::string& pool, const Owner& owner) const;
  EtcdLook note_state(const std::string& pool, const Owner& owner, const EtcdAnswer& answer,
                      size_t first, Time now);
  // The same of the owner's key and the clock alone.
  void add_owner(std::vector<EtcdOp>& ops, const std::string& pool, const Owner& owner) const;
  EtcdLook note_owner(const Owner& owner, const EtcdAnswer& answer, size_t first, Time now);

  // The revision of the last freeze or thaw, and the count of failed runs, as one range
  // of an answer tells them.
  void note_rulings(const EtcdAnswer& answer, size_t part);
  void note_runs(const std::string& pool, const EtcdAnswer& answer, size_t part);
  void note_runs(const std::string& pool, uint64_t revision, const EtcdRuns& runs);
  [[nodiscard]] EtcdRuns runs_of(const std::string& pool) const;
  // An answer told of a freeze or a thaw that the watch has not told yet.
  [[nodiscard]] bool is_ruling_behind() const;
  [[nodiscard]] const Freeze* frozen(std::string_view pool) const {
    return mirror.standing().freezes().find(pool);
  }

  // That the clock is as it is known, and of the etcd that it is known of: one that
  // was emptied may have the same revision again, but has another offset.
  [[nodiscard]] std::vector<EtcdCompare> if_clock(uint64_t mod, const std::string& text) const;
  void add_clock(std::vector<EtcdCompare>& compares) const;

  // The clock as an answer tells it. The watch has to tell of it soon as well: it may be
  // silent because it is cut off, while other servers move the clock on.
  void note_clock(const EtcdKv& kv, Time now);
  void note_clock(const EtcdAnswer& answer, size_t part, Time now);
  // Own changes that were answered.
  void note_base(const std::string& value, uint64_t revision, Time now);
  void note_owed(uint64_t revision) { owed_revision = std::max(owed_revision, revision); }
  void note_removal(const std::string& pool, const EtcdLease& lease, uint64_t revision);
  // In the place of the lease its slot rests.
  void note_rest(const std::string& pool, const EtcdLease& lease, const Rest& rest,
                 uint64_t revision, Time now);
  // To be called before the removal is noted.
  void tell_expired(const std::string& pool, const EtcdLease& lease, Time now);
  [[nodiscard]] Rest shown(const std::string& pool, const EtcdRest& rest) const;

  void forget(const std::string& pool) { runs_.erase(pool); }
  // The store is another one than before: what was known of revisions is void.
  void set_back();

  [[nodiscard]] std::optional<EtcdUnsettled> adopt(const std::string& pool, const Owner& owner);

  EtcdSettings settings;
  EtcdKeys keys;
  EtcdClock clock;
  EtcdMirror mirror;
  EtcdKeeper keeper;
  EtcdKeeper rest_keeper;  // of rests, see rest_owner()
  PoolBook specs;
  EtcdSights sights;
  EtcdCounts counts;
  std::vector<EtcdUnsettled> leftovers;
  std::vector<EtcdNewsOf> news;
  std::vector<Happening> happened;
  Token highest_token = 0;         // of our own grants, which the watch may not have told yet
  uint64_t owed_revision = 0;      // of the newest change that the watch has to tell
  bool is_ready = false;           // the mirror was filled and the offset is high enough
  std::optional<Time> answered{};  // when etcd answered last
  std::string reason;              // why it did not, last

 private:
  struct Told {
    uint64_t revision = 0;
    EtcdRuns runs{};
  };
  uint64_t rulings_ = 0;     // their revision, as an answer told it
  uint64_t rulings_at_ = 0;  // at that revision
  std::map<std::string, Told> runs_;
};

// The name of a rest for its keeper: no lease's owner has an empty host.
[[nodiscard]] Owner rest_owner(Token token);

[[nodiscard]] EtcdCompare if_mod(std::string key, uint64_t revision);
[[nodiscard]] EtcdCompare if_create(std::string key, uint64_t revision);

}  // namespace distributex
