// SPDX-License-Identifier: MIT
// The file beside a store that says who uses it and how many commits it has
// been given. Its lock keeps a second daemon out. The number is written after
// each commit and never synced, so it is never ahead of the disk: a store with
// fewer commits has lost some.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "backends/sqlite/trouble.h"
#include "base/handle.h"

namespace distributex {

class StoreMark {
 public:
  // Takes the lock of the store at this path, for writing or only to look; what
  // another process has is in_use.
  [[nodiscard]] std::optional<StoreTrouble> claim(const std::string& store);
  [[nodiscard]] std::optional<StoreTrouble> look(const std::string& store);

  // The commits that were noted; nothing when there is no number to be read.
  [[nodiscard]] std::optional<uint64_t> commits() const;
  void note(uint64_t commits, const std::string& boot);
  void release() { fd_.reset(-1); }

 private:
  Fd fd_;
};

// Refuses file systems whose locks and syncs are another machine's word; `doubt`
// is a warning about one that may forget, or empty.
[[nodiscard]] std::optional<StoreTrouble> check_place(const std::string& store, std::string& doubt);
// The same for a file system of this type (statfs).
[[nodiscard]] std::optional<StoreTrouble> judge_place(long type, const std::string& folder,
                                                      std::string& doubt);

}  // namespace distributex
