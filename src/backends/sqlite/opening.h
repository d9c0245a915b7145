// SPDX-License-Identifier: MIT
// The start of a store: opens and reads it, proves that it is whole, carries its times over
// and puts its leases into the table. For the loop's thread, before any client is served;
// it may block.
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
  std::chrono::milliseconds gone{0};  // certain time since the last commit of another boot
  Token top = 0;
  std::optional<StoreTrouble> trouble;  // why the store, which is sound, takes no commit yet
};

// Returns a refusal if the store cannot be served, and leaves the store as it was.
[[nodiscard]] std::optional<BackendRefusal> open_store(const std::string& path, StoreWriter& writer,
                                                       LeaseTable& table, StoreBooks& books,
                                                       StoreRulings& rulings, OpenedStore& opened);

}  // namespace distributex
