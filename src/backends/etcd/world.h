// SPDX-License-Identifier: MIT
// What all questions of this server share: the mirror and other knowledge of etcd, the ends
// that owners were told, writes of unknown outcome, and news for the engine. Plain data,
// and the functions that every question needs. Pure.
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
  std::string server;  // this server's name as keeper and on tickets; new at each start
  std::chrono::milliseconds timeout{3000};  // of one question
  std::function<uint64_t()> random;
  std::function<uint64_t()> wall_us;  // since 1970
};

// A write of unknown outcome. etcd can still carry it out while the clock's revision is
// `base`. If and only if etcd did so, its nonce stands in the owner's key.
struct EtcdUnsettled {
  std::string pool;
  Owner owner;
  std::string nonce;
  uint64_t base = 0;
  std::string base_text{};  // the clock's value at that revision
  Time sent{};
  bool is_grant = false;  // false: the write renewed or took over a lease
  Time not_before{};      // until then the owner's next question may adopt it
  bool is_asked = false;  // its removal is under way
};

// The owner's key as an answer showed it, at that revision.
struct EtcdLook {
  uint64_t revision = 0;
  std::optional<EtcdLease> lease;
};

// A grant may be told within told_within after it was sent; later it must first ask etcd
// whether a freeze stands. The verdict of a freeze waits longer: freeze_told_after.
inline constexpr std::chrono::milliseconds told_within{200};
inline constexpr std::chrono::milliseconds freeze_told_after{250};

struct EtcdNewsOf {  // for the engine
  std::string pool;
  std::optional<Lease> expired{};  // nullopt: a slot may have come free
};

struct EtcdWorld {
  explicit EtcdWorld(EtcdSettings given);
  EtcdWorld(const EtcdWorld&) = delete;
  EtcdWorld& operator=(const EtcdWorld&) = delete;

  [[nodiscard]] std::string new_nonce() const;
  // The owner's lease in `look` if that is newer than the mirror, else in the mirror.
  [[nodiscard]] const EtcdLease* lease_of(const std::string& pool, const Owner& owner,
                                          const std::optional<EtcdLook>& look) const;
  [[nodiscard]] Lease shown(const std::string& pool, const EtcdLease& lease, Time now) const;

  // Appends the ranges that show a pool and one owner; notes their answers, which begin with
  // part `first`.
  void add_state(std::vector<EtcdOp>& ops, const std::string& pool, const Owner& owner) const;
  EtcdLook note_state(const std::string& pool, const Owner& owner, const EtcdAnswer& answer,
                      size_t first, Time now);
  // The same for the owner's key and the clock only.
  void add_owner(std::vector<EtcdOp>& ops, const std::string& pool, const Owner& owner) const;
  EtcdLook note_owner(const Owner& owner, const EtcdAnswer& answer, size_t first, Time now);

  // Note the revision of the last freeze or thaw, or the count of failed runs, from one part
  // of an answer.
  void note_rulings(const EtcdAnswer& answer, size_t part);
  void note_runs(const std::string& pool, const EtcdAnswer& answer, size_t part);
  void note_runs(const std::string& pool, uint64_t revision, const EtcdRuns& runs);
  [[nodiscard]] EtcdRuns runs_of(const std::string& pool) const;
  // Whether an answer told a freeze or a thaw that the watch has not told yet.
  [[nodiscard]] bool is_ruling_behind() const;
  [[nodiscard]] const Freeze* frozen(std::string_view pool) const {
    return mirror.standing().freezes().find(pool);
  }

  // Compares that hold if the clock is unchanged. They compare the value too: an etcd that
  // was emptied may reach the same revision again, but with another offset.
  [[nodiscard]] std::vector<EtcdCompare> if_clock(uint64_t mod, const std::string& text) const;
  void add_clock(std::vector<EtcdCompare>& compares) const;

  // Notes the clock of an answer. The watch must tell the same step soon: it may be cut off
  // and silent while other servers move the clock on.
  void note_clock(const EtcdKv& kv, Time now);
  void note_clock(const EtcdAnswer& answer, size_t part, Time now);
  // Note changes of this server that etcd has answered.
  void note_base(const std::string& value, uint64_t revision, Time now);
  void note_owed(uint64_t revision) { owed_revision = std::max(owed_revision, revision); }
  void note_removal(const std::string& pool, const EtcdLease& lease, uint64_t revision);
  // The lease was removed and its slot rests.
  void note_rest(const std::string& pool, const EtcdLease& lease, const Rest& rest,
                 uint64_t revision, Time now);
  // Call it before note_removal() or note_rest(): they drop the lease's end.
  void tell_expired(const std::string& pool, const EtcdLease& lease, Time now);
  [[nodiscard]] Rest shown(const std::string& pool, const EtcdRest& rest) const;

  void forget(const std::string& pool) { runs_.erase(pool); }
  // The store is another one than before: forget all revisions.
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
  Token highest_token = 0;         // of this server's grants; the watch may lack the newest
  uint64_t owed_revision = 0;      // of the newest change that the watch has to tell
  bool is_ready = false;           // the mirror was filled and the offset is high enough
  std::optional<Time> answered{};  // when etcd answered last
  std::string reason;              // why the last question without an answer had none

 private:
  struct Told {
    uint64_t revision = 0;
    EtcdRuns runs{};
  };
  uint64_t rulings_ = 0;     // mod_revision of the rulings key, as an answer showed it
  uint64_t rulings_at_ = 0;  // the revision of that answer
  std::map<std::string, Told> runs_;
};

// The owner under which rest_keeper has a rest; no lease has an owner with an empty host.
[[nodiscard]] Owner rest_owner(Token token);

[[nodiscard]] EtcdCompare if_mod(std::string key, uint64_t revision);
[[nodiscard]] EtcdCompare if_create(std::string key, uint64_t revision);

}  // namespace distributex
