// SPDX-License-Identifier: MIT
// The lock file beside a store names the process that uses the store and the number of its
// commits. Its lock keeps a second daemon out. The number is written after each commit,
// never before, so a store with fewer commits than the number has lost some. It is not
// synced: after a crash of the machine it may be lower.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "backends/sqlite/trouble.h"
#include "base/handle.h"

namespace distributex {

class StoreMark {
 public:
  // Take the lock of the store at this path: claim() to write, look() to read only. in_use
  // if another process has the lock.
  [[nodiscard]] std::optional<StoreTrouble> claim(const std::string& store);
  [[nodiscard]] std::optional<StoreTrouble> look(const std::string& store);

  // The number of commits in the file; nullopt if there is none.
  [[nodiscard]] std::optional<uint64_t> commits() const;
  void note(uint64_t commits, const std::string& boot);
  void release() { fd_.reset(-1); }

 private:
  Fd fd_;
};

// Refuses file systems of other machines, whose locks and syncs cannot be trusted. Sets
// `doubt` to a warning if the file system may lose its files at a restart, else empties it.
[[nodiscard]] std::optional<StoreTrouble> check_place(const std::string& store, std::string& doubt);
// The same for a file system of this type (statfs).
[[nodiscard]] std::optional<StoreTrouble> judge_place(long type, const std::string& folder,
                                                      std::string& doubt);

}  // namespace distributex
