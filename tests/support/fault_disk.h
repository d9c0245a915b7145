// SPDX-License-Identifier: MIT
// A disk below SQLite, for tests: it fails the n-th call or ends the process at it, and fails
// syncs as Linux does (a failed sync drops the data). It keeps a twin of each file with only
// what was synced, which is what remains after a power cut. Its state outlives the processes
// that use it.
#pragma once

#include <stdint.h>

#include <string>

namespace distributex::test {

class FaultDisk {
 public:
  enum class Fault { none, write_error, full, sync_error, death };

  // Becomes the disk of every database that this process and its children open.
  explicit FaultDisk(const std::string& twin_folder);
  ~FaultDisk();
  FaultDisk(const FaultDisk&) = delete;
  FaultDisk& operator=(const FaultDisk&) = delete;

  // Counts anew; the call of that number, from 1, meets the fault, and so do as
  // many after it as `times` says. A sync_error meets syncs of the log only, and
  // counts only them.
  void plan(Fault fault, uint64_t at, uint64_t times = 1);
  [[nodiscard]] uint64_t calls() const;
  [[nodiscard]] bool has_struck() const;
  // Forgets what was not synced; the twin's files are as the disk's.
  void reset();

  // A number that children leave for their parent.
  void note(uint64_t value);
  [[nodiscard]] uint64_t noted() const;

 private:
  std::string twin_;
};

}  // namespace distributex::test
