// SPDX-License-Identifier: MIT
// The loop's books about the store: the changes for the next batch, the sums over all rows
// after these changes, and the last batch that is on disk. Pure: it has no thread, no file
// and no clock.
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
  // Add a row that was read from the store to the sums.
  void restore(HeldLease& held, const StoreRow& row);
  void restore_ruling(const StoreRow& row);
  // Takes the highest token that was ever granted.
  void restore_top(Token top);

  // Enter a change: call granted() and renewed() after the table has changed, ended() before
  // it drops the lease. They set `stored` of lease and pool to the batch of the change.
  void granted(LeasePool& pool, HeldLease& held, int64_t wall_us, Time now);
  void renewed(LeasePool& pool, HeldLease& held, std::optional<std::chrono::seconds> length_before,
               std::optional<Time> ends_before, Time now);
  void ended(LeasePool& pool, const HeldLease& held, Time now);

  // Enter a ruling that begins, or replaces the one with the same key; and one that ends.
  // The key is kind and pool, and the token if it is a rest.
  void put_ruling(StoreRow row, Time now);
  void remove_ruling(StoreKind kind, const std::string& pool, Token token, Time now);

  // Returns the changes since the last batch as a batch; nullopt if there are none.
  [[nodiscard]] std::optional<StoreBatch> take_batch();
  // This batch is on the disk, and all before it.
  void stored(uint64_t number);

  // The number of the next batch, and that of the last one that is stored.
  [[nodiscard]] uint64_t gathering() const { return batch_.number; }
  [[nodiscard]] uint64_t stored() const { return stored_; }
  // When the oldest change that is not stored was made; nullopt: all are stored.
  [[nodiscard]] std::optional<Time> waits_since() const;
  // Whether the grant of this token is stored.
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
  std::deque<Open> open_;  // batches that are not stored, the next one included
  uint64_t stored_ = 0;
  Token stored_top_ = 0;
};

}  // namespace distributex
