// SPDX-License-Identifier: MIT
// The store: one SQLite database in WAL mode with one connection. It is opened and read
// whole at the start, then written in commits, each synced once. Every call blocks. It
// knows rows, not leases; the writer decides when to call it.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "backends/sqlite/clock.h"
#include "backends/sqlite/contents.h"
#include "backends/sqlite/mark.h"
#include "backends/sqlite/notes.h"
#include "backends/sqlite/rulings_table.h"
#include "backends/sqlite/sql.h"
#include "backends/sqlite/trouble.h"

namespace distributex {

class StoreFile {
 public:
  enum class Purpose { serve, look };

  StoreFile() = default;
  StoreFile(const StoreFile&) = delete;
  StoreFile& operator=(const StoreFile&) = delete;

  // How much room prepare() reserves for the day on which the disk is full; 0: none.
  void set_room(int64_t bytes) { room_ = bytes; }
  // Opens and reads the store; does not change a store that it refuses.
  [[nodiscard]] StoreOutcome open(const std::string& path, Purpose purpose,
                                  StoreContents& contents);
  // Prepares the store for commits: folds the log into the database, creates the tables of a
  // new store, writes the rows whose times were carried over, and reserves room. Call it
  // before the first commit, until it succeeds. If it cannot reserve room, it succeeds
  // nevertheless and sets `doubt` to the reason.
  [[nodiscard]] StoreOutcome prepare(const std::vector<StoreRow>& carried,
                                     const StoreTotals& totals, const StoreMoment& now,
                                     std::string& doubt);
  [[nodiscard]] StoreOutcome commit(const std::vector<StoreChange>& changes,
                                    const StoreTotals& totals, const StoreMoment& now);
  // Moves the log's contents into the database; the next commit starts the log anew.
  [[nodiscard]] StoreOutcome checkpoint();
  [[nodiscard]] int frames() const { return frames_; }  // frames of the log not moved yet
  // Whether the files that are open are still those of the path.
  [[nodiscard]] bool is_there() const { return !still_there(); }
  [[nodiscard]] StoreSizes sizes() const;
  [[nodiscard]] const StoreMeta& meta() const { return meta_; }
  [[nodiscard]] std::optional<uint64_t> marked() const { return mark_.commits(); }
  // Closes the store; moves the log into the database first if that works.
  void close();

 private:
  static int on_wal(void* self, sqlite3*, const char*, int frames) noexcept;
  [[nodiscard]] StoreOutcome refuse_if_lost() const;
  [[nodiscard]] StoreOutcome connect(Purpose purpose);
  [[nodiscard]] StoreOutcome set_up(const std::vector<StoreRow>& carried, const StoreMeta& next,
                                    const StoreTotals& totals);
  [[nodiscard]] StoreOutcome carry(const std::vector<StoreRow>& carried);
  [[nodiscard]] StoreOutcome prepare_statements();
  [[nodiscard]] StoreOutcome fold_log();
  [[nodiscard]] StoreOutcome set_room_aside();
  [[nodiscard]] StoreOutcome put(const StoreRow& row);
  [[nodiscard]] StoreOutcome apply(const StoreChange& change);
  [[nodiscard]] StoreOutcome write_meta(const StoreMeta& next, uint64_t rows_sum);
  [[nodiscard]] StoreOutcome write(const std::vector<StoreChange>& changes, const StoreMeta& next,
                                   const StoreTotals& totals);
  [[nodiscard]] StoreMeta next_meta(const StoreTotals& totals, const StoreMoment& now) const;
  void note_files();
  [[nodiscard]] StoreOutcome still_there() const;
  [[nodiscard]] StoreOutcome undone(StoreOutcome trouble);

  std::string path_;
  StoreMark mark_;
  Sql sql_;
  StoreNotes notes_;
  Statement begin_, commit_, put_, renew_, remove_, put_meta_;
  RulingsTable rulings_;
  StoreMeta meta_;
  int64_t room_ = 4 << 20;
  bool is_new_ = false;
  bool is_ready_ = false;
  int frames_ = 0;
  ino_t database_ = 0;
  ino_t wal_ = 0;
};

}  // namespace distributex
