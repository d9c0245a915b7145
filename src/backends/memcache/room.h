// SPDX-License-Identifier: MIT
// The data of a worker's thread: lock_ guards the members that it shares with the loop
// (lock_ to ended_); the others belong to the thread. The loop never waits for the lock
// longer than a queue operation takes.
#pragma once

#include "backends/memcache/freezes.h"
#include "backends/memcache/leftovers.h"
#include "backends/memcache/worker.h"
#include "base/clock.h"
#include "base/thread.h"

namespace distributex {

// The operation whose verdict the job brings; 0: it brings none.
[[nodiscard]] OpId op_of(const MemcacheJob& job);

class MemcacheWorker::Room {
 public:
  Room(const MemcacheAddress& address, const MemcacheSettings& settings);

  void start();
  [[nodiscard]] bool stop();

  [[nodiscard]] int wake_fd() const { return waker_.fd(); }
  void post(MemcacheJob job);
  [[nodiscard]] std::vector<MemcacheResult> take();
  [[nodiscard]] bool abandon(OpId op);
  void interrupt() { link_.interrupt(); }

 private:
  static void* run(void* room) noexcept;
  void work();
  [[nodiscard]] std::optional<MemcacheJob> next_job(bool& stopping);

  void do_job(MemcacheJob& job);
  void perform(const Acquire& question, const MemcacheJob& job);
  void perform(const Release& question, const MemcacheJob& job);
  void perform(const Renew& question, const MemcacheJob& job);
  void perform(const Order& order, const MemcacheJob& job);
  void rule(const Order& order, const MemcacheJob& job);  // freeze, thaw
  void perform(const ExpireLease& what, const MemcacheJob& job);
  void perform(SurveyPools& what, const MemcacheJob& job);
  void refuse(const Acquire& question, const MemcacheJob& job);
  void refuse(const Release& question, const MemcacheJob& job);
  void refuse(const Renew& question, const MemcacheJob& job);
  void refuse(const Order& order, const MemcacheJob&) { refuse_op(order.op); }
  void refuse(const ExpireLease&, const MemcacheJob&) {}  // memcached ends it as well
  void refuse(const SurveyPools& what, const MemcacheJob& job);
  void refuse_op(OpId op) { (void)finish(op, {}, down_ ? link_.reason() : "no answer in time"); }
  void keep_if_undelivered(const MemcacheJob& job);
  void do_ping();
  [[nodiscard]] bool read_freezes();
  void tell_freezes();
  void count_run(const PoolRef& pool, const Owner& owner, bool failed, const std::string& how);
  void do_chores();
  void note_link();
  void note_progress();
  void wake();
  void report(MemcacheResult result);
  [[nodiscard]] bool finish(OpId op, SlotAnswer answer);
  [[nodiscard]] bool finish(OpId op, SlotAnswer answer, const std::string& reason);

  std::mutex lock_;
  std::condition_variable changed_;
  std::deque<MemcacheJob> jobs_;
  std::vector<MemcacheResult> results_;
  std::set<OpId> open_;       // posted, without a result yet
  std::set<OpId> abandoned_;  // those of open_ that the loop has given up
  OpId running_ = 0;
  bool stopping_ = false;
  bool ended_ = false;

  Waker waker_;
  pthread_t thread_{};
  MemcacheLink link_;
  MemcacheSlots slots_;
  MemcacheFreezes freezes_;
  MemcacheLeftovers leftovers_;
  bool down_ = false;
  Time last_news_{};
  Time next_ping_;
  Time next_chores_{};
  Time next_freezes_{};
};

}  // namespace distributex
