// SPDX-License-Identifier: MIT
// Leases in memcached, which any number of servers share and which outlive each server.
// This is the loop's side: a question becomes a job of the worker whose memcached has the
// pool; a result becomes a verdict, in order. If no result comes in time, the verdict is
// "failed", and the worker gives back what it may grant later. Nothing here blocks or
// calls memcached.
#pragma once

#include <deque>
#include <map>
#include <unordered_map>
#include <utility>

#include "backends/makers.h"
#include "backends/memcache/ends.h"
#include "backends/memcache/options.h"
#include "backends/memcache/pool.h"
#include "backends/memcache/server.h"
#include "backends/memcache/standing_freezes.h"
#include "lock/pool_book.h"

namespace distributex {

class MemcacheBackend final : public Backend {
 public:
  MemcacheBackend(const BackendSetup& setup, const MemcacheOptions& options);

  void acquire(const Acquire& question, Time now) override { post(question, now); }
  void release(const Release& question, Time now) override { post(question, now); }
  void renew(const Renew& question, Time now) override { post(question, now); }
  void configure(const std::vector<PoolSpec>& pools) override;
  void order(const Order& order, Time now) override;
  [[nodiscard]] const Freeze* frozen(std::string_view pool) const override;
  [[nodiscard]] std::vector<Freeze> freezes() const override { return freezes_->all(); }
  void forget(const std::string& pool) override;
  [[nodiscard]] std::optional<Time> deadline() const override;
  void tick(Time now) override;
  [[nodiscard]] std::optional<std::string> trouble() const override;
  void survey(std::function<void()> ready, Time now) override;
  [[nodiscard]] std::vector<Lease> leases(std::string_view pool, size_t most) const override;
  [[nodiscard]] size_t held(std::string_view pool) const override;
  [[nodiscard]] std::vector<Rest> rests(std::string_view pool, size_t most) const override;
  [[nodiscard]] size_t resting(std::string_view pool) const override;

 private:
  // An order that some memcacheds have not carried out yet.
  struct OpenOrder {
    Order order;
    size_t open = 0;
    Verdict verdict;  // of the memcacheds that have answered
  };

  MemcachePool& pool_of(const std::string& name);
  [[nodiscard]] size_t server_of_name(std::string_view name) const;
  void post_to_all(OpenOrder& open, Time now);
  void order_done(size_t server, OpenOrder& open, const OpDone& done, Time now);
  void evicted(const OpenOrder& open, const OpDone& done, Time now);
  void abandon_order(OpId op);
  [[nodiscard]] std::string thawing() const;
  void pools_changed(size_t server, std::string_view pattern);
  void end_freezes(Time now);
  void begin_rest(MemcachePool& pool, const std::optional<SlotLease>& rest, Time now);
  void set_delays(MemcachePool& pool);
  MemcacheServer& server_of_pool(const MemcachePool& pool) { return *servers_[pool.server]; }
  template <typename Question>
  void post(const Question& question, Time now);
  void expire(std::vector<EndingLease> due, Time now);

  void collect(size_t server);
  void collect_all();
  void apply(size_t server, OpDone& done, Time now);
  void apply(size_t server, LeaseEnded& ended, Time now);
  void apply(size_t server, PoolFreed& freed, Time now);
  void apply(size_t server, PoolsSeen& seen, Time now);
  void apply(size_t server, FreezesSeen& seen, Time now);
  void apply(size_t server, LinkUp& up, Time now) { servers_[server]->note(up, now); }
  void apply(size_t server, LinkDown& down, Time now) { servers_[server]->note(down, now); }
  void apply(size_t server, LinkAlive&, Time now) { servers_[server]->note_alive(now); }

  [[nodiscard]] Verdict verdict_of(MemcachePool& pool, const SlotAnswer& answer, Time now);
  static void refuse_ended(Verdict& verdict, Time now);
  void start_lease(MemcachePool& pool, const SlotAnswer& answer, Verdict& verdict, Time now);
  [[nodiscard]] Time retry_at(MemcachePool& pool, Time now);
  [[nodiscard]] Lease lease_of(const MemcachePool& pool, const SlotLease& slot, Time now) const;
  void end_overdue(Time now);
  void end_survey();

  BackendSink sink_;
  std::chrono::milliseconds timeout_;
  std::chrono::milliseconds poll_;
  std::vector<std::unique_ptr<MemcacheServer>> servers_;
  std::map<std::string, MemcachePool, std::less<>> pools_;
  MemcacheEnds ends_;
  PoolBook specs_;
  std::optional<StandingFreezes> freezes_;
  std::map<OpId, OpenOrder> orders_;

  std::unordered_map<OpId, MemcachePool*> ops_;  // questions without a verdict
  std::deque<std::pair<Time, OpId>> overdue_;    // by deadline; some have a verdict already

  uint64_t survey_ = 0;     // the number of the survey under way, or of the last
  size_t survey_open_ = 0;  // servers that have not answered it
  Time survey_ends_{};
  std::optional<Time> surveyed_;  // when the last complete survey began
  Time survey_began_{};
  std::vector<std::function<void()>> waiting_;
};
}  // namespace distributex
