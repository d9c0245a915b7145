// SPDX-License-Identifier: MIT
// What goes into a store and comes out of it, and the reading of a whole one.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "backends/sqlite/row.h"
#include "backends/sqlite/sql.h"
#include "backends/sqlite/trouble.h"

namespace distributex {

// user_version of the database: what a program must know to read it. minor is
// what it need not know: tables and columns that it leaves alone.
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

// One change of one lease. Doing it twice is doing it once.
struct StoreChange {
  enum class Kind { put, renew, remove, put_ruling, remove_ruling };
  Kind kind = Kind::put;
  // renew: token, length and ends count; remove: the token; remove_ruling: kind,
  // pool and token.
  StoreRow row;
};

// What holds when a commit is done.
struct StoreTotals {
  uint64_t rows = 0;
  uint64_t rows_sum = 0;
  Token top = 0;
  uint64_t ending = 0;  // of rows and rulings, those with an end
  uint64_t rulings = 0;
  uint64_t rulings_sum = 0;
};

struct StoreSizes {
  uint64_t database = 0;
  uint64_t wal = 0;
  uint64_t free = 0;  // on the file system, for the daemon's user
};

// Reads all of it, and proves that nothing is missing or changed: by SQLite's
// own check, by the sum, and by the commits that were noted beside it. The
// marked commits are nothing when no note is left.
[[nodiscard]] std::optional<StoreTrouble> read_store(Sql& sql, const std::string& path,
                                                     std::optional<uint64_t> marked,
                                                     StoreContents& contents);

}  // namespace distributex
