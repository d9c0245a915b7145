// SPDX-License-Identifier: MIT
// One thread for one memcached. It does jobs in order, with calls that block, and leaves
// results that the loop takes when the eventfd is readable. It also watches whether
// memcached answers, and removes what calls that failed half-way left behind.
#pragma once

#include <pthread.h>

#include <chrono>
#include <condition_variable>
#include <deque>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <variant>
#include <vector>

#include "backends/memcache/link.h"
#include "backends/memcache/slots.h"
#include "lock/words.h"

namespace distributex {

struct ExpireLease {
  Lease lease;
  std::string nonce;
  bool is_rest = false;  // it is a rest that ends, not a lease
};
struct SurveyPools {
  uint64_t survey = 0;
  std::vector<PoolRef> pools;
  size_t next = 0;  // the index of the first pool that was not read yet
};

struct MemcacheJob {
  std::variant<Acquire, Release, Renew, Order, ExpireLease, SurveyPools> what;
  PoolRef pool;  // empty for surveys, freezes and thaws
  Time deadline{};
  std::vector<std::string> thawed{};  // a thaw: pools whose count of failed runs is reset
};

// Results. An operation has exactly one OpDone, unless it was abandoned.
struct OpDone {
  OpId op = 0;
  SlotAnswer answer;
  std::string reason;  // why it failed
};
struct LeaseEnded {  // the worker ended a lease or rest whose time was over
  std::string pool;
  Lease lease;
  bool is_rest = false;
  std::optional<SlotLease> rest;  // the rest that has the slot now
};
struct PoolFreed {  // the worker removed a leftover from a slot
  std::string pool;
};
struct PoolsSeen {
  uint64_t survey = 0;
  std::vector<PoolRef> pools;
  std::vector<std::vector<SlotLease>> seen;  // empty if memcached did not answer
  bool last = false;
};
struct FreezesSeen {  // all freezes of this memcached, after a change
  std::vector<Freeze> freezes;
};
struct LinkUp {
  MemcacheFacts facts;
};
struct LinkDown {
  std::string reason;
};
struct LinkAlive {};

using MemcacheResult = std::variant<OpDone, LeaseEnded, PoolFreed, PoolsSeen, FreezesSeen, LinkUp,
                                    LinkDown, LinkAlive>;

struct MemcacheSettings {
  std::string prefix;
  std::string server;  // this process's name in marks
  std::chrono::milliseconds silence{500};
};

class MemcacheWorker {
 public:
  MemcacheWorker(const MemcacheAddress& address, const MemcacheSettings& settings);
  // Ends the thread. If the thread hangs in a name look-up, the destructor leaves it running.
  ~MemcacheWorker();
  MemcacheWorker(const MemcacheWorker&) = delete;
  MemcacheWorker& operator=(const MemcacheWorker&) = delete;

  // An eventfd that is readable while there are results to take.
  [[nodiscard]] int wake_fd() const;
  void post(MemcacheJob job);
  [[nodiscard]] std::vector<MemcacheResult> take();
  // The loop no longer waits for the operation; the worker gives a grant back. Returns false
  // if the result is there to be taken already.
  [[nodiscard]] bool abandon(OpId op);
  // Ends a call that has been under way for too long.
  void interrupt();

 private:
  class Room;
  std::unique_ptr<Room> room_;
};

}  // namespace distributex
