// SPDX-License-Identifier: MIT
// Takes, finds, renews and gives back leases in a memcached that other servers use at the
// same time. Calls block as long as their commands do. Belongs to one thread. Knows no
// queue, no deadline and no libmemcached.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "backends/backend.h"
#include "backends/memcache/commands.h"
#include "backends/memcache/highest.h"
#include "backends/memcache/item.h"

namespace distributex {

// A pool's slots in memcached. The width is the highest maxlocks since this process started,
// so that leases in slots above a lowered maxlocks are still found.
struct PoolRef {
  std::string name;
  uint32_t width = 1;
  // As configured; they apply to leases that are released or end from now on.
  std::chrono::seconds min_hold{0};
  std::chrono::seconds release_delay{0};
  std::chrono::seconds lock_delay{0};
  uint32_t freeze_after = 0;
};

struct SlotAnswer {
  Verdict::Kind kind = Verdict::Kind::failed;
  SlotLease lease;                  // granted, held, renewed; released, done: the ended one
  std::optional<SlotLease> rest{};  // released, done: the rest that has the slot now
  std::string nonce_before;         // renewed: of the write that was replaced
  Time started{};                   // granted, renewed: memcached counts from here or later
  bool more_free = false;           // granted: other slots were free
  bool unsure = false;              // failed: a claim or grant may be left behind
  std::vector<SlotLease> seen;      // granted, held, full: the pool as last read, claims too
};

class MemcacheSlots {
 public:
  // server: this process's name in the marks of items.
  MemcacheSlots(MemcacheCommands& commands, std::string prefix, std::string server)
      : commands_(commands), prefix_(std::move(prefix)), server_(std::move(server)) {}

  // Sets the delays for the following questions, which are about this pool.
  void use(const PoolRef& pool) { delays_ = pool; }

  // nonce: give_back() finds by it what this attempt wrote.
  [[nodiscard]] SlotAnswer acquire(const Acquire& question, uint32_t width,
                                   const std::string& nonce);
  [[nodiscard]] SlotAnswer release(const Release& question, uint32_t width);
  [[nodiscard]] SlotAnswer renew(const Renew& question, uint32_t width);

  enum class Undone { gone, absent, failed };
  // Takes back what an attempt left behind, unless its owner was told of it.
  [[nodiscard]] Undone give_back(const PoolRef& pool, const std::string& nonce);
  // Ends a lease or rest whose time is over, unless it was renewed. gone: this call ended
  // it. `rest`: set to the rest that has the slot from now on, if there is one.
  [[nodiscard]] Undone expire(const PoolRef& pool, const std::string& nonce,
                              std::optional<SlotLease>* rest = nullptr);

  // Ends the lease with this token, whoever owns it: done, not_held or failed.
  [[nodiscard]] SlotAnswer evict(const PoolRef& pool, Token token);

  // Returns the items of each pool's slots; nullopt if memcached does not answer.
  [[nodiscard]] std::optional<std::vector<std::vector<SlotLease>>> survey(
      const std::vector<PoolRef>& pools);

 private:
  struct Entry {
    uint32_t slot = 0;
    uint64_t unique = 0;
    std::optional<SlotLease> lease;  // nullopt: another program wrote the item
  };
  using View = std::vector<Entry>;
  struct Attempt;
  enum class Step { answered, again, failed };
  static constexpr int max_steps = 200;   // of one question; other servers' writes cost more looks
  static constexpr int max_failures = 2;  // unanswered commands of one question

  [[nodiscard]] std::chrono::seconds life_of(std::chrono::seconds length) const;
  [[nodiscard]] bool read_all(size_t count, const std::function<std::string(size_t)>& key_of,
                              const std::function<void(size_t, const MemcacheItem&)>& found);
  [[nodiscard]] std::optional<View> look(const PoolRef& pool);
  [[nodiscard]] const Entry* find_lease(const View& view, const Owner& owner) const;
  [[nodiscard]] const Entry* find_nonce(const View& view, const std::string& nonce) const;
  [[nodiscard]] Step acquire_step(Attempt& attempt);
  [[nodiscard]] Step claim_slot(Attempt& attempt, const View& view);
  [[nodiscard]] Step settle_claim(Attempt& attempt, const View& view, const Entry& claim);
  [[nodiscard]] Step tell_held(Attempt& attempt, const View& view, const Entry& entry);
  [[nodiscard]] Step drop_other_claims(const Attempt& attempt, const View& view, const Entry& kept);
  [[nodiscard]] std::optional<Token> draw_token(const std::string& pool);
  [[nodiscard]] Undone remove_write(const PoolRef& pool, const std::string& nonce);
  [[nodiscard]] bool told_elsewhere(const SlotLease& lease) const;
  [[nodiscard]] std::string key(const PoolRef& pool, uint32_t slot) const;

  MemcacheCommands& commands_;
  std::string prefix_;
  std::string server_;
  [[nodiscard]] std::optional<SlotLease> rest_of(const SlotLease& lease, bool released) const;
  [[nodiscard]] Stored end(const PoolRef& pool, const Entry& entry,
                           const std::optional<SlotLease>& rest);

  PoolRef delays_;
  HighestTokens highest_;
};

}  // namespace distributex
