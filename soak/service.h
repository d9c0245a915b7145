// SPDX-License-Identifier: MIT
// A lock service under test: its daemons, its pools, what its clients were told,
// and when its answers may fail. Daemons and memcached belong to the thread that starts
// them; the rest is for all threads.
#pragma once

#include <stddef.h>
#include <stdint.h>

#include <atomic>
#include <chrono>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "findings.h"
#include "support/daemon.h"
#include "support/history.h"
#include "support/memcached.h"

namespace distributex::soak {

using test::Clock;
using test::Daemon;
using test::milliseconds;
using Time = test::History::Time;

// steady: one daemon with its locks in memory that is never restarted, so that it shows
// growth. restarted: the same, but it is restarted now and then. stored: its locks are in a
// store, and it is restarted now and then. shared: two daemons over one memcached; the
// second is restarted now and then.
enum class Kind { steady, restarted, stored, shared };

struct PoolRow {
  const char* name;
  size_t slots;     // the most that any configuration gives it
  unsigned expire;  // seconds, the most as well; 0: never
  bool listed;      // for the hosts alpha and beta only
  bool comes_and_goes;
};

[[nodiscard]] std::span<const PoolRow> pool_rows();

// The history of all pools, checked and forgotten piece by piece.
class Ledger {
 public:
  Ledger();
  void told(const std::string& pool, const std::string& holder, uint64_t token, Time asked,
            Time answered, std::optional<Time> ends);
  void let_go(const std::string& pool, uint64_t token);
  void lost_all(Time from, Time to);
  [[nodiscard]] std::string settle(Time horizon);

 private:
  std::mutex lock_;
  test::History history_;
};

// The times in which an answer may fail to come, or be unavailable.
class Trouble {
 public:
  explicit Trouble(milliseconds grace) : grace_(grace) {}
  void begin() { ++open_; }
  void end();
  // Trouble was over before it was noticed.
  void note() { ended_ = Clock::now(); }
  // Whether a request that was sent at `asked` and is due now may have failed.
  [[nodiscard]] bool excuses(Time asked) const;

 private:
  milliseconds grace_;
  std::atomic<int> open_ = 0;
  std::atomic<Time> ended_ = Time{};
};

// What a reload may change; the defaults hold at the start and in a calm.
struct Variant {
  bool has_guest = true;
  bool is_wide = true;   // the pool "vary" has all its slots, and its whole time
  unsigned visitor = 0;  // the number in a further pool's name; 0: there is none
};

class Service {
 public:
  explicit Service(Kind kind);
  [[nodiscard]] bool start();
  [[nodiscard]] bool stop();

  [[nodiscard]] Kind kind() const { return kind_; }
  [[nodiscard]] const char* name() const;
  [[nodiscard]] size_t size() const { return daemons_.size(); }
  [[nodiscard]] Daemon& daemon(size_t index) { return *daemons_[index]; }
  [[nodiscard]] test::Memcached& memcached() { return *memcached_; }
  [[nodiscard]] std::string yaml(const Variant& variant) const;
  // Whether every daemon can grant locks, soon.
  [[nodiscard]] bool is_ready() const;

  // For all threads, after the start.
  [[nodiscard]] const std::vector<uint16_t>& ports() const { return ports_; }
  [[nodiscard]] Ledger& ledger() { return ledger_; }
  [[nodiscard]] Trouble& trouble() { return trouble_; }

 private:
  Kind kind_;
  std::unique_ptr<test::Memcached> memcached_;
  test::TempDir disk_;
  std::vector<std::unique_ptr<Daemon>> daemons_;
  std::vector<uint16_t> ports_;
  Ledger ledger_;
  Trouble trouble_;
};

}  // namespace distributex::soak
