// SPDX-License-Identifier: MIT
// A short run of a store over a disk with faults, in processes of their own, and
// the table that must be there after each of its commits.
#pragma once

#include <stdint.h>

#include <string>
#include <vector>

#include "support/daemon.h"
#include "support/fault_disk.h"
#include "support/store.h"

namespace distributex::test {

struct StoreRun {
  struct Commit {
    std::vector<StoreChange> changes;
    StoreTotals totals;
  };
  static constexpr uint64_t commits = 12;
  static constexpr int killed = 77;  // the exit status of who meets its death on the disk

  TempDir dir{};
  std::vector<Commit> plan{};
  int64_t room = 16384;
  bool moves_log = true;               // between commits
  std::vector<std::string> texts{""};  // what is there after so many commits

  void lay_out(uint64_t count = commits);
  [[nodiscard]] std::string disk() const { return dir.file("disk") + "/locks.db"; }
  [[nodiscard]] std::string twin() const { return dir.file("twin") + "/locks.db"; }
  void clear() const;
  // For a process of its own: opens the store and makes these commits, each until
  // it is done; 0 when all are.
  [[nodiscard]] int work(FaultDisk& disk, uint64_t from, uint64_t to, bool closes) const;
  // "" when the store has the first so many commits, or one more that was under
  // way; else what it has.
  [[nodiscard]] std::string wrong_with(const std::string& path, uint64_t acked) const;
};

}  // namespace distributex::test
