// SPDX-License-Identifier: MIT
// The one thread that touches an open store. It takes what the loop hands over,
// commits all that has gathered at once, tries again what was refused, and
// leaves news that the loop collects when the eventfd says so. Between commits
// it moves the log into the database and writes down what time it is.
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

// What was handed over at a time goes into one commit, whole.
struct StoreBatch {
  uint64_t number = 0;  // rising
  std::vector<StoreChange> changes;
  StoreTotals totals;  // when they are done
};

// Everything up to that batch is on the disk.
struct BatchesStored {
  uint64_t number = 0;
  size_t changes = 0;
  Duration took{};
};
// A commit was refused, and will be tried again until it is not.
struct StoreRefused {
  StoreTrouble trouble;
};
struct StoreSized {
  StoreSizes sizes;
};
// For the log, which is the loop's.
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
  // Nothing is written before start().
  StoreWriter();
  // Commits what is left, closes the store and ends the thread. One that hangs
  // in a system call is left to itself after a moment.
  ~StoreWriter();
  StoreWriter(const StoreWriter&) = delete;
  StoreWriter& operator=(const StoreWriter&) = delete;

  // For the loop's thread, before start().
  [[nodiscard]] StoreFile& file();
  // Prepares the store: at once, and when that is refused, again on the thread,
  // which starts in any case.
  [[nodiscard]] std::optional<StoreTrouble> start(StoreStart start);

  // An eventfd that can be read whenever there is something to take.
  [[nodiscard]] int wake_fd() const;
  void post(StoreBatch batch);
  [[nodiscard]] std::vector<StoreNews> take();

 private:
  class Room;
  std::unique_ptr<Room> room_;
};

}  // namespace distributex
