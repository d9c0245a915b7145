// SPDX-License-Identifier: MIT
// The backend without its wire and its timer. It runs the state machines of questions
// side by side, but those of one owner one after the other; follows the mirror, ends
// leases, moves the shared clock on and takes back leftover writes. Asks no clock of this
// machine, so that a test can drive it step by step.
#pragma once

#include <deque>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <variant>
#include <vector>

#include "backends/backend.h"
#include "backends/etcd/acquire.h"
#include "backends/etcd/follower.h"
#include "backends/etcd/lease_questions.h"
#include "backends/etcd/orders.h"
#include "backends/etcd/wire.h"
#include "backends/etcd/world.h"

namespace distributex {

class EtcdCore {
 public:
  // Calls settled at the end of every event: deadline() may have changed.
  EtcdCore(EtcdWire& wire, EtcdSettings settings, size_t endpoints, BackendSink sink,
           std::function<void(Time now)> settled);
  EtcdCore(const EtcdCore&) = delete;
  EtcdCore& operator=(const EtcdCore&) = delete;

  void acquire(const Acquire& question, Time now);
  void release(const Release& question, Time now);
  void renew(const Renew& question, Time now);
  void order(const Order& order, Time now);
  // Nobody waits for the pool at this server any more.
  void idle(const std::string& pool, Time now);
  void configure(const std::vector<PoolSpec>& pools);
  void forget(const std::string& pool);

  [[nodiscard]] std::optional<Time> deadline() const;
  void tick(Time now);
  [[nodiscard]] const std::optional<std::string>& trouble() const { return trouble_; }
  void survey(std::function<void()> ready, Time now);
  [[nodiscard]] std::vector<Lease> leases(std::string_view pool, size_t most, Time now) const;
  [[nodiscard]] size_t held(std::string_view pool) const;
  [[nodiscard]] std::vector<Rest> rests(std::string_view pool, size_t most) const;
  [[nodiscard]] size_t resting(std::string_view pool) const;
  [[nodiscard]] size_t waiting_elsewhere(std::string_view pool) const;
  [[nodiscard]] const EtcdWorld& world() const { return world_; }
  [[nodiscard]] Duration watch_behind(Time now) const { return follower_.behind(now); }

 private:
  using Name = std::pair<std::string, Owner>;
  struct Task {
    OpId op = 0;  // 0: the core's own question
    std::variant<EtcdAcquire, EtcdRelease, EtcdRenew, EtcdOrder> question;
    Name name;
    bool is_ordered = true;
    bool is_asked = false;
    unsigned asked = 0;  // transactions since the last pause
    std::optional<Time> wakes{};
    std::optional<Release> again{};  // release of an untold grant: ask again if it fails
  };

  struct Again {  // a release of an untold grant that failed and is asked again
    Time at{};
    Release question;
    std::optional<uint64_t> written{};
  };

  // --- questions: core.cpp
  void start(Task task, Time now);
  void drive(uint64_t id, Time now);
  void finish(uint64_t id, const Verdict& verdict, Time now);
  [[nodiscard]] bool is_next_in_order(uint64_t id, const Task& task) const;
  void drive_held_up(Time now);
  void decide(uint64_t id, OpId op, bool is_ordered, const std::string& pool,
              const Verdict& verdict);
  void wake(Time now, bool all);
  void ask(EtcdTxn txn, Duration limit, EtcdWire::Replied replied);
  void settle_down(Time now);
  void flush(Time now);
  void end_surveys(Time now);

  // --- what nobody asks for: upkeep.cpp, ends.cpp
  void changed(const std::vector<EtcdChange>& changes, bool was_set_back, Time now);
  void note_change(const EtcdChange& change, Time now);
  void seed(Time now);
  void end_due(Time now);
  void end_lease(const EtcdDue& due, Time now);
  void end_rest(const EtcdDue& due, Time now);
  void end_freeze(const EtcdStanding::Due& due, Time now);
  void note_rest(const EtcdChange& change);
  void note_freeze(const EtcdChange& change);
  void tick_clock(Time now);
  [[nodiscard]] std::optional<Time> clock_due() const;
  void clear_leftovers(Time now);
  void take_back(const EtcdUnsettled& left, const EtcdLease& lease);
  void try_again(Time now);
  void drop_tickets(Time now);
  void probe(Time now);
  void judge(Time now);

  EtcdWire& wire_;
  size_t endpoints_;
  BackendSink sink_;
  std::function<void(Time now)> settled_;
  EtcdWorld world_;
  EtcdFollower follower_;

  std::map<uint64_t, Task> tasks_;
  std::map<Name, std::deque<uint64_t>> lanes_;
  std::set<std::pair<Time, uint64_t>> wakes_;
  std::map<std::string, std::deque<uint64_t>> order_;  // by pool: verdicts not told yet
  std::map<uint64_t, std::pair<OpId, Verdict>> done_;  // decided; others of order_ come first
  std::deque<std::pair<OpId, Verdict>> decided_;       // to be told to the engine
  uint64_t last_id_ = 0;
  bool is_flushing_ = false;

  std::vector<Again> again_;
  std::set<uint64_t> held_up_;       // granted; others of order_ come first
  std::set<std::string> unblocked_;  // pools whose order has moved on
  std::map<std::string, uint32_t> slots_;
  std::map<std::string, Time> idle_;  // pools whose ticket must go, and when to try
  std::set<std::string> dropping_;    // pools whose ticket is being deleted
  std::vector<std::pair<Time, std::function<void()>>> surveys_;
  std::vector<std::function<void()>> surveyed_;  // to be called at the end of the event

  bool needs_seed_ = true;
  bool is_seeding_ = false;
  Time seed_at_{};
  std::optional<uint64_t> seed_wall_{};  // the wall clock when seeding began
  bool is_ticking_ = false;
  Time tick_not_before_{};
  Duration tick_jitter_{};
  size_t asking_ = 0;
  std::optional<Time> first_tick_{};
  Time probed_{};
  uint64_t revision_ = 0;  // of the newest answer
  std::string refusal_;    // the reason of the last refused question
  Time refused_{};         // and when that was
  std::optional<std::string> trouble_{"etcd: no answer yet"};
};

}  // namespace distributex
