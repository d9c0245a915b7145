// SPDX-License-Identifier: MIT
// A commit is durable by WAL and synchronous=FULL. If a sync fails, it is never repeated:
// the writer commits the whole transaction again. After a restart the end of the log may be
// in the page cache only, so prepare() first folds the log into the database, which syncs
// both.
#include "backends/sqlite/file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <algorithm>
#include <utility>

namespace distributex {

namespace {

using Kind = StoreTrouble::Kind;

// Returns 0 if there is no file. Asks for the inode's number only, for every commit calls it:
// if a program asks for the times too, Linux 6.13 and later stores exact times at the next
// write, and each sync writes a second block.
ino_t inode_of(const std::string& path) {
  struct statx status {};
  return statx(AT_FDCWD, path.c_str(), 0, STATX_INO, &status) == 0 ? status.stx_ino : 0;
}

uint64_t size_of(const std::string& path) {
  struct stat status {};
  return stat(path.c_str(), &status) == 0 ? static_cast<uint64_t>(status.st_size) : 0;
}

}  // namespace

StoreOutcome StoreFile::open(const std::string& path, Purpose purpose, StoreContents& contents) {
  path_ = path;
  if (auto trouble = purpose == Purpose::serve ? mark_.claim(path) : mark_.look(path)) {
    return trouble;
  }
  if (auto trouble = refuse_if_lost()) {
    return trouble;
  }
  StoreOutcome trouble = connect(purpose);
  if (!trouble) {
    trouble = read_store(sql_, path, mark_.commits(), contents);
  }
  if (trouble) {
    sql_.close();
    mark_.release();
    return trouble;
  }
  meta_ = contents.meta;
  is_new_ = contents.is_new;
  return std::nullopt;
}

// If the database is gone but its log or commits are known, SQLite would make an empty one
// and remove the log: refuse instead.
StoreOutcome StoreFile::refuse_if_lost() const {
  if (inode_of(path_) != 0) {
    return std::nullopt;
  }
  const uint64_t commits = mark_.commits().value_or(0);
  if (commits == 0 && size_of(path_ + "-wal") == 0) {
    return std::nullopt;
  }
  return damage(path_, "the file is gone");
}

StoreOutcome StoreFile::connect(Purpose purpose) {
  const bool serves = purpose == Purpose::serve;
  // Creates the file with mode 0640. Closes it before SQLite locks it: closing any descriptor
  // drops this process's locks on the file.
  if (serves) {
    Fd(::open(path_.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0640)).reset(-1);
  }
  const bool has_log = inode_of(path_ + "-wal") != 0;
  if (auto trouble = sql_.open(path_, false)) {
    return trouble;
  }
  sqlite3_db_config(sql_.handle(), SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, serves || has_log ? 1 : 0,
                    nullptr);
  sqlite3_extended_result_codes(sql_.handle(), 1);
  return sql_.run(
      "PRAGMA locking_mode = EXCLUSIVE; PRAGMA synchronous = FULL; PRAGMA cell_size_check = ON;"
      "PRAGMA secure_delete = OFF; PRAGMA wal_autocheckpoint = 0; PRAGMA temp_store = MEMORY;"
      "PRAGMA trusted_schema = OFF");
}

StoreOutcome StoreFile::write_meta(const StoreMeta& next, uint64_t rows_sum) {
  return put_meta_.bind(next.minor)
      .bind(next.commits)
      .bind(next.rows)
      .bind(next.top)
      .bind(rows_sum + share_of(next))
      .bind(std::string_view{next.boot})
      .bind(next.timens)
      .bind(next.seen_mono)
      .bind(next.seen_wall)
      .bind(std::string_view{next.machine})
      .bind(std::string_view{next.program})
      .finish();
}

StoreOutcome StoreFile::put(const StoreRow& row) {
  auto trouble = put_.bind(row.token)
                     .bind(std::string_view{row.pool})
                     .bind(std::string_view{row.owner.host})
                     .bind(std::string_view{row.owner.id})
                     .bind(row.since_wall)
                     .bind(row.since_mono)
                     .bind(row.length)
                     .bind(row.ends)
                     .finish();
  return trouble || row.note.empty() ? trouble : notes_.put(row.token, row.note);
}

StoreOutcome StoreFile::apply(const StoreChange& change) {
  const StoreRow& row = change.row;
  switch (change.kind) {
    case StoreChange::Kind::put:
      return put(row);
    case StoreChange::Kind::renew:
      return renew_.bind(row.length).bind(row.ends).bind(row.token).finish();
    case StoreChange::Kind::remove: {
      auto trouble = remove_.bind(row.token).finish();
      return trouble || row.note.empty() ? trouble : notes_.remove(row.token);
    }
    case StoreChange::Kind::put_ruling:
      return rulings_.put(row);
    case StoreChange::Kind::remove_ruling:
      return rulings_.remove(row);
  }
  return std::nullopt;
}

StoreOutcome StoreFile::write(const std::vector<StoreChange>& changes, const StoreMeta& next,
                              const StoreTotals& totals) {
  if (auto trouble = begin_.finish()) {
    return trouble;
  }
  bool rules = false;
  for (const StoreChange& change : changes) {
    if (auto trouble = apply(change)) {
      return trouble;
    }
    rules = rules || change.row.kind != StoreKind::lease;
  }
  if (rules) {
    if (auto trouble = rulings_.put_totals(totals.rulings, totals.rulings_sum)) {
      return trouble;
    }
  }
  if (auto trouble = write_meta(next, totals.rows_sum)) {
    return trouble;
  }
  return commit_.finish();
}

StoreMeta StoreFile::next_meta(const StoreTotals& totals, const StoreMoment& now) const {
  return {.minor = std::max(meta_.minor, store_minor),
          .commits = meta_.commits + 1,
          .rows = totals.rows,
          .top = std::max(meta_.top, totals.top),
          .boot = now.boot,
          .timens = now.timens,
          .seen_mono = now.mono,
          .seen_wall = now.wall,
          .machine = now.machine,
          .program = DISTRIBUTEX_VERSION};
}

StoreOutcome StoreFile::commit(const std::vector<StoreChange>& changes, const StoreTotals& totals,
                               const StoreMoment& now) {
  const StoreMeta next = next_meta(totals, now);
  if (auto trouble = write(changes, next, totals)) {
    return undone(std::move(trouble));
  }
  meta_ = next;
  if (auto trouble = still_there()) {
    return trouble;
  }
  mark_.note(meta_.commits, meta_.boot);
  return std::nullopt;
}

// Rolls an open transaction back; returns the trouble.
StoreOutcome StoreFile::undone(StoreOutcome trouble) {
  if (sqlite3_get_autocommit(sql_.handle()) == 0) {
    (void)sql_.run("ROLLBACK");
  }
  return trouble;
}

StoreOutcome StoreFile::checkpoint() {
  int frames = 0;
  int moved = 0;
  const int code =
      sqlite3_wal_checkpoint_v2(sql_.handle(), nullptr, SQLITE_CHECKPOINT_PASSIVE, &frames, &moved);
  if (code != SQLITE_OK) {
    return sql_.trouble(code);
  }
  frames_ = std::max(frames - moved, 0);
  return std::nullopt;
}

void StoreFile::note_files() {
  database_ = inode_of(path_);
  wal_ = inode_of(path_ + "-wal");
}

// Looks by inode: SQLite goes on writing to a removed file, and these commits would be lost.
StoreOutcome StoreFile::still_there() const {
  if (inode_of(path_) == database_ && inode_of(path_ + "-wal") == wal_) {
    return std::nullopt;
  }
  return StoreTrouble{Kind::gone, path_ +
                                      " was removed or replaced: put it back, or stop, remove " +
                                      all_files_of(path_) + ", and start without locks"};
}

StoreSizes StoreFile::sizes() const {
  struct statvfs place {};
  StoreSizes sizes{.database = size_of(path_), .wal = size_of(path_ + "-wal")};
  if (statvfs(folder_of(path_).c_str(), &place) == 0) {
    sizes.free = static_cast<uint64_t>(place.f_bavail) * place.f_frsize;
  }
  return sizes;
}

void StoreFile::close() {
  if (!sql_.is_open()) {
    return;
  }
  for (Statement* each : {&begin_, &commit_, &put_, &renew_, &remove_, &put_meta_}) {
    *each = Statement{};
  }
  rulings_.close();
  notes_ = StoreNotes{};
  if (is_ready_ && !still_there()) {
    sqlite3_db_config(sql_.handle(), SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 0, nullptr);
  }
  sql_.close();
  mark_.release();
}

}  // namespace distributex
