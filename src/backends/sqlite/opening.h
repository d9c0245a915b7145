// SPDX-License-Identifier: MIT
// The start of a store: opened, read, proven whole, its times carried over and
// its leases put into the table. For the loop's thread, before anybody is
// served; it may block.
#pragma once

#include <optional>
#include <string>

#include "backends/backend.h"
#include "backends/lease_table.h"
#include "backends/sqlite/books.h"
#include "backends/sqlite/rulings.h"
#include "backends/sqlite/writer.h"

namespace distributex {

struct OpenedStore {
  size_t leases = 0;
  bool is_new = false;
  bool same_boot = false;
  std::chrono::milliseconds gone{0};  // how long nobody looked after them
  Token top = 0;
  std::optional<StoreTrouble> trouble;  // it is sound, and takes no commit yet
};

// What cannot be served is a refusal; the store stays as it was.
[[nodiscard]] std::optional<BackendRefusal> open_store(const std::string& path, StoreWriter& writer,
                                                       LeaseTable& table, StoreBooks& books,
                                                       StoreRulings& rulings, OpenedStore& opened);

}  // namespace distributex
