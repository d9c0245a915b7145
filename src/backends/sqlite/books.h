// SPDX-License-Identifier: MIT
// What the loop must know to write leases down: which changes go into the next
// batch, what the sums will be when it is stored, and how far the disk has
// come. Pure: it has no thread, no file and no clock.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <string>
#include <tuple>

#include "backends/lease_table.h"
#include "backends/sqlite/writer.h"

namespace distributex {

class StoreBooks {
 public:
  // The sums of what was read; leases are entered into them one by one.
  void restore(HeldLease& held, const StoreRow& row);
  void restore_ruling(const StoreRow& row);
  // The highest token of all that were ever granted.
  void restore_top(Token top);

  // A change is entered after a grant or renewal, and before a lease goes. Each
  // stamps lease and pool with the batch that carries it.
  void granted(LeasePool& pool, HeldLease& held, int64_t wall_us, Time now);
  void renewed(LeasePool& pool, HeldLease& held, std::optional<std::chrono::seconds> length_before,
               std::optional<Time> ends_before, Time now);
  void ended(LeasePool& pool, const HeldLease& held, Time now);

  // A ruling that begins, or stands in the place of that with the same key; and
  // one that ends: kind, pool and token are its key.
  void put_ruling(StoreRow row, Time now);
  void remove_ruling(StoreKind kind, const std::string& pool, Token token, Time now);

  // The changes since the last batch, as one; nothing when there are none.
  [[nodiscard]] std::optional<StoreBatch> take_batch();
  // That batch is on the disk, and all before it.
  void stored(uint64_t number);

  // The batch that gathers now, and the last one that is stored.
  [[nodiscard]] uint64_t gathering() const { return batch_.number; }
  [[nodiscard]] uint64_t stored() const { return stored_; }
  // When the oldest change that is not stored was made.
  [[nodiscard]] std::optional<Time> waits_since() const;
  // Whether a lease with this token is stored as granted.
  [[nodiscard]] bool knows(Token token) const { return token <= stored_top_; }
  [[nodiscard]] const StoreTotals& totals() const { return totals_; }

 private:
  struct Open {
    uint64_t number = 0;
    Time since{};
    Token top = 0;
  };
  struct Share {
    uint64_t share = 0;
    bool ends = false;
  };
  using RulingKey = std::tuple<StoreKind, std::string, Token>;
  void add(StoreChange change, LeasePool& pool, Time now);
  void add(StoreChange change, Time now);
  void count_ruling(const StoreRow& row);
  bool discount_ruling(const RulingKey& key);
  static RulingKey key_of(const StoreRow& row);

  std::map<RulingKey, Share> rulings_;

  StoreTotals totals_;
  StoreBatch batch_{.number = 1, .changes = {}, .totals = {}};
  std::deque<Open> open_;  // batches that are not stored, the gathering one included
  uint64_t stored_ = 0;
  Token stored_top_ = 0;
};

}  // namespace distributex
