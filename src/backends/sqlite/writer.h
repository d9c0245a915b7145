// SPDX-License-Identifier: MIT
// The one thread that uses the store once it is open. It takes batches from the loop,
// commits all that wait at once, repeats a commit that was refused, and leaves news that
// the loop takes when the eventfd is readable. Between commits it moves the log into the
// database and stores the time.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "backends/sqlite/contents.h"
#include "backends/sqlite/file.h"
#include "base/log.h"
#include "lock/words.h"

namespace distributex {

// A batch is never split: all its changes are in one commit.
struct StoreBatch {
  uint64_t number = 0;  // rising
  std::vector<StoreChange> changes;
  StoreTotals totals;  // after these changes
};

// This batch is on the disk, and all before it.
struct BatchesStored {
  uint64_t number = 0;
  size_t changes = 0;
  Duration took{};
};
// A commit was refused; the thread repeats it until it succeeds.
struct StoreRefused {
  StoreTrouble trouble;
};
struct StoreSized {
  StoreSizes sizes;
};
// A line for the log, which only the loop's thread writes.
struct StoreRemark {
  Level level = Level::warning;
  std::string text;
};
using StoreNews = std::variant<BatchesStored, StoreRefused, StoreSized, StoreRemark>;

// What a store that was just opened still needs before its first commit.
struct StoreStart {
  std::vector<StoreRow> carried;  // rows that got new times
  StoreTotals totals;
};

class StoreWriter {
 public:
  // Starts no thread and writes nothing before start().
  StoreWriter();
  // Commits what is left, closes the store and ends the thread. If the thread hangs in a
  // system call for some seconds, the destructor leaves it running.
  ~StoreWriter();
  StoreWriter(const StoreWriter&) = delete;
  StoreWriter& operator=(const StoreWriter&) = delete;

  // For the loop's thread, before start() only.
  [[nodiscard]] StoreFile& file();
  // Prepares the store at once. If that fails, returns the trouble, and the thread tries
  // again. Starts the thread in either case.
  [[nodiscard]] std::optional<StoreTrouble> start(StoreStart start);

  // An eventfd that is readable while there is news to take.
  [[nodiscard]] int wake_fd() const;
  void post(StoreBatch batch);
  [[nodiscard]] std::vector<StoreNews> take();

 private:
  class Room;
  std::unique_ptr<Room> room_;
};

}  // namespace distributex
