// SPDX-License-Identifier: MIT
// What is written to a store and read from it; and the function that reads a whole store.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "backends/sqlite/row.h"
#include "backends/sqlite/sql.h"
#include "backends/sqlite/trouble.h"

namespace distributex {

// user_version of the database: a program reads no store of a higher format. Under a higher
// minor the store only has more tables and columns, which older programs leave alone.
inline constexpr int64_t store_format = 1;
inline constexpr uint64_t store_minor = 1;                // 1: notes and rulings
inline constexpr int64_t store_application = 0x44585453;  // "DXTS"

struct StoreContents {
  StoreMeta meta;
  std::vector<StoreRow> rows;  // by token
  uint64_t rows_sum = 0;
  std::vector<StoreRow> rulings;
  bool is_new = false;  // nothing was ever written to it
};

// One change of one lease or ruling. To apply it twice has the effect of once.
struct StoreChange {
  enum class Kind { put, renew, remove, put_ruling, remove_ruling };
  Kind kind = Kind::put;
  // put, put_ruling: all of it; renew: token, length and ends; remove: token, and whether
  // there is a note; remove_ruling: kind, pool and token.
  StoreRow row;
};

// The sums over all rows after a commit.
struct StoreTotals {
  uint64_t rows = 0;
  uint64_t rows_sum = 0;
  Token top = 0;
  uint64_t ending = 0;  // how many rows and rulings have an end
  uint64_t rulings = 0;
  uint64_t rulings_sum = 0;
};

struct StoreSizes {
  uint64_t database = 0;
  uint64_t wal = 0;
  uint64_t free = 0;  // on the file system, for the daemon's user
};

// Reads the whole store. Proves that nothing is missing or changed by SQLite's own check, by
// the sums, and by `marked`, the number of commits in the lock file (nullopt: none noted).
[[nodiscard]] std::optional<StoreTrouble> read_store(Sql& sql, const std::string& path,
                                                     std::optional<uint64_t> marked,
                                                     StoreContents& contents);

}  // namespace distributex
