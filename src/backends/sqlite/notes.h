// SPDX-License-Identifier: MIT
// The notes of leases, in a table of their own: an older program does not know it and
// leaves it alone. They have no share of the sum, for no lock depends on them.
#pragma once

#include <string_view>
#include <vector>

#include "backends/sqlite/row.h"
#include "backends/sqlite/sql.h"
#include "backends/sqlite/trouble.h"
#include "lock/words.h"

namespace distributex {

// Puts into the rows, which are in the order of their tokens, the notes that a store has.
[[nodiscard]] StoreOutcome read_notes(Sql& sql, std::vector<StoreRow>& rows);

class StoreNotes {
 public:
  // Within a transaction, before the first change: a store without the table gets it, and
  // notes that an older program left behind its leases go.
  [[nodiscard]] StoreOutcome prepare(Sql& sql);
  [[nodiscard]] StoreOutcome put(Token token, std::string_view note);
  [[nodiscard]] StoreOutcome remove(Token token);

 private:
  Statement put_, remove_;
};

}  // namespace distributex
