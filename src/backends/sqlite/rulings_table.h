// SPDX-License-Identifier: MIT
// The tables of rulings in a store: one row for each, and one with their number
// and sum. Programs of an earlier minor format neither read nor change them, so
// their sum is not a part of the sum over leases.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "backends/sqlite/row.h"
#include "backends/sqlite/sql.h"
#include "backends/sqlite/trouble.h"

namespace distributex {

// All there are, and proven whole; none in a store without these tables.
[[nodiscard]] StoreOutcome read_rulings(Sql& sql, const std::string& path,
                                        std::vector<StoreRow>& rulings);

class RulingsTable {
 public:
  // Makes the tables where they are missing. Inside a transaction.
  [[nodiscard]] StoreOutcome prepare(Sql& sql);
  [[nodiscard]] StoreOutcome put(const StoreRow& row);
  [[nodiscard]] StoreOutcome remove(const StoreRow& row);
  [[nodiscard]] StoreOutcome put_totals(uint64_t rulings, uint64_t sum);
  void close();

 private:
  Statement put_;
  Statement remove_;
  Statement put_totals_;
};

}  // namespace distributex
