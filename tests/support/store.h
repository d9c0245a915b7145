// SPDX-License-Identifier: MIT
// Stores for tests: made by a process that then dies or closes them, looked at
// as a whole, and compared as text.
#pragma once

#include <stdint.h>

#include <functional>
#include <string>
#include <vector>

#include "backends/sqlite/file.h"

namespace distributex::test {

// A store and what it should have: leases come and go by number.
struct StoreModel {
  StoreTotals totals{};
  std::vector<StoreRow> rows{};

  [[nodiscard]] static StoreRow row_of(uint64_t number);
  // The changes that grant or end the lease of that number.
  StoreChange grant(uint64_t number);
  StoreChange end(uint64_t number);
  [[nodiscard]] std::string text() const;
};

[[nodiscard]] std::string text_of(const std::vector<StoreRow>& rows);

// All that is in it, or "refused: KIND"; it stays as it is.
[[nodiscard]] std::string look_at_store(const std::string& path);
// Opens it as the daemon does, and makes it ready; "" or what was refused.
[[nodiscard]] std::string serve_store(StoreFile& file, const std::string& path,
                                      StoreContents& contents);

// Runs it in a process of its own that ends at once afterwards, with nothing
// closed; its exit code, or 128 + the signal that ended it.
[[nodiscard]] int in_other_process(const std::function<int()>& what);

// Statements by a plain SQLite: what somebody else does to a store.
void tamper(const std::string& path, const char* statements);

}  // namespace distributex::test
