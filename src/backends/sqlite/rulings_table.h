// SPDX-License-Identifier: MIT
// The two tables of rulings in a store: "ruling" has one row for each, "rulings" has their
// number and sum. Programs of an earlier minor format neither read nor change them, so
// rulings are not part of the sum over leases.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "backends/sqlite/row.h"
#include "backends/sqlite/sql.h"
#include "backends/sqlite/trouble.h"

namespace distributex {

// Reads all rulings and checks them against number and sum; none if there are no tables.
[[nodiscard]] StoreOutcome read_rulings(Sql& sql, const std::string& path,
                                        std::vector<StoreRow>& rulings);

class RulingsTable {
 public:
  // Creates the tables if they are missing. Call it in a transaction.
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
