// SPDX-License-Identifier: MIT
// One thread with one memcached: it takes jobs in order, does them with calls
// that block, and leaves results that the loop collects when the eventfd says
// so. It also watches whether memcached answers, and takes back what was left
// behind by calls that failed half-way.
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
  bool is_rest = false;  // a slot that opens
};
struct SurveyPools {
  uint64_t survey = 0;
  std::vector<PoolRef> pools;
  size_t next = 0;  // of pools, the first not read yet
};

struct MemcacheJob {
  std::variant<Acquire, Release, Renew, Order, ExpireLease, SurveyPools> what;
  PoolRef pool;  // not for surveys
  Time deadline{};
  std::vector<std::string> thawed{};  // pools there whose failed runs start anew
};

// What comes back. Of an operation exactly one, unless it was abandoned.
struct OpDone {
  OpId op = 0;
  SlotAnswer answer;
  std::string reason;  // when it failed
};
struct LeaseEnded {  // by us, at its end
  std::string pool;
  Lease lease;
  bool is_rest = false;
  std::optional<SlotLease> rest;  // what stands in its slot now
};
struct PoolFreed {  // a slot was given back in the background
  std::string pool;
};
struct PoolsSeen {
  uint64_t survey = 0;
  std::vector<PoolRef> pools;
  std::vector<std::vector<SlotLease>> seen;  // empty when it failed
  bool last = false;
};
struct FreezesSeen {  // all that stand there, after a change
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
  std::string server;  // our name in marks
  std::chrono::milliseconds silence{500};
};

class MemcacheWorker {
 public:
  MemcacheWorker(const MemcacheAddress& address, const MemcacheSettings& settings);
  // Ends the thread. One that hangs in a name's look-up is left to itself.
  ~MemcacheWorker();
  MemcacheWorker(const MemcacheWorker&) = delete;
  MemcacheWorker& operator=(const MemcacheWorker&) = delete;

  // An eventfd that can be read whenever there is something to take.
  [[nodiscard]] int wake_fd() const;
  void post(MemcacheJob job);
  [[nodiscard]] std::vector<MemcacheResult> take();
  // Nobody waits for it any more: a grant will be given back. False when its
  // result is there to be taken.
  [[nodiscard]] bool abandon(OpId op);
  // Ends a call that has been under way for too long.
  void interrupt();

 private:
  class Room;
  std::unique_ptr<Room> room_;
};

}  // namespace distributex
