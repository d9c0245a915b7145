// SPDX-License-Identifier: MIT
// The notes of leases, in a table of their own, which an older program does not know and
// leaves alone. Notes are not part of the sum, for no lock depends on them.
#pragma once

#include <string_view>
#include <vector>

#include "backends/sqlite/row.h"
#include "backends/sqlite/sql.h"
#include "backends/sqlite/trouble.h"
#include "lock/words.h"

namespace distributex {

// Reads the notes into the rows, which must be in the order of their tokens.
[[nodiscard]] StoreOutcome read_notes(Sql& sql, std::vector<StoreRow>& rows);

class StoreNotes {
 public:
  // Call it in a transaction, before the first change. Creates the table if it is missing;
  // deletes notes whose leases an older program has removed.
  [[nodiscard]] StoreOutcome prepare(Sql& sql);
  [[nodiscard]] StoreOutcome put(Token token, std::string_view note);
  [[nodiscard]] StoreOutcome remove(Token token);

 private:
  Statement put_, remove_;
};

}  // namespace distributex
