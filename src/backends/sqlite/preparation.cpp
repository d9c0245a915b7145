// SPDX-License-Identifier: MIT
// Prepares a store for its first commit: folds the log in, creates tables, writes the times
// that were carried over, prepares statements, and reserves room for a full disk.
#include "backends/sqlite/file.h"

namespace distributex {

namespace {

using Kind = StoreTrouble::Kind;

constexpr const char* tables =
    "CREATE TABLE IF NOT EXISTS meta(one INTEGER PRIMARY KEY CHECK(one = 1), minor INTEGER NOT "
    "NULL, commits INTEGER NOT NULL, rows INTEGER NOT NULL, top INTEGER NOT NULL, sum INTEGER NOT "
    "NULL, boot TEXT NOT NULL, timens INTEGER NOT NULL, seen_mono INTEGER NOT NULL, seen_wall "
    "INTEGER NOT NULL, machine TEXT NOT NULL, program TEXT NOT NULL);"
    "CREATE TABLE IF NOT EXISTS lease(token INTEGER PRIMARY KEY, pool TEXT NOT NULL, host TEXT NOT "
    "NULL, id TEXT NOT NULL, since_wall INTEGER NOT NULL, since_mono INTEGER NOT NULL, length "
    "INTEGER, ends INTEGER);"
    "PRAGMA application_id = 1146639443;"
    "PRAGMA user_version = 1";
static_assert(store_application == 1146639443 && store_format == 1);

// Reserves room for some thousand changes on a full disk: dropping a big table leaves free
// pages in the database and a log of full length.
constexpr const char* room_begins =
    "DROP TABLE IF EXISTS reserve;"
    "CREATE TABLE reserve(bytes BLOB)";
constexpr const char* room_taken = "INSERT INTO reserve VALUES(zeroblob(?))";
constexpr const char* room_given_back = "DROP TABLE reserve";

}  // namespace

int StoreFile::on_wal(void* self, sqlite3*, const char*, int frames) noexcept {
  static_cast<StoreFile*>(self)->frames_ = frames;
  return SQLITE_OK;
}

StoreOutcome StoreFile::prepare(const std::vector<StoreRow>& carried, const StoreTotals& totals,
                                const StoreMoment& now, std::string& doubt) {
  sqlite3_wal_hook(sql_.handle(), on_wal, this);
  if (auto trouble = fold_log()) {
    return trouble;
  }
  const StoreMeta next = next_meta(totals, now);
  if (auto trouble = set_up(carried, next, totals)) {
    return undone(std::move(trouble));
  }
  is_new_ = false;
  meta_ = next;
  note_files();
  if (auto trouble = set_room_aside()) {
    doubt = undone(std::move(trouble))->what;
  }
  mark_.note(meta_.commits, meta_.boot);
  is_ready_ = true;
  return std::nullopt;
}

// Sets journal_mode too, which writes the first page of a new store.
StoreOutcome StoreFile::fold_log() {
  std::string mode;
  if (auto trouble = sql_.ask("PRAGMA journal_mode = WAL", mode)) {
    return trouble;
  }
  if (mode != "wal") {
    return StoreTrouble{Kind::io, path_ + " cannot have a log: " + mode};
  }
  int frames = 0;
  int moved = 0;
  const int code = sqlite3_wal_checkpoint_v2(sql_.handle(), nullptr, SQLITE_CHECKPOINT_TRUNCATE,
                                             &frames, &moved);
  if (code != SQLITE_OK) {
    return sql_.trouble(code);
  }
  frames_ = 0;
  return std::nullopt;
}

StoreOutcome StoreFile::set_up(const std::vector<StoreRow>& carried, const StoreMeta& next,
                               const StoreTotals& totals) {
  if (auto trouble = sql_.run("BEGIN IMMEDIATE")) {
    return trouble;
  }
  if (is_new_) {
    if (auto trouble = sql_.run(tables)) {
      return trouble;
    }
  }
  if (auto trouble = notes_.prepare(sql_)) {
    return trouble;
  }
  if (auto trouble = rulings_.prepare(sql_)) {
    return trouble;
  }
  if (auto trouble = carry(carried)) {
    return trouble;
  }
  if (auto trouble = rulings_.put_totals(totals.rulings, totals.rulings_sum)) {
    return trouble;
  }
  if (auto trouble = prepare_statements()) {
    return trouble;
  }
  if (auto trouble = write_meta(next, totals.rows_sum)) {
    return trouble;
  }
  return commit_.finish();
}

StoreOutcome StoreFile::carry(const std::vector<StoreRow>& carried) {
  Statement carry;
  if (auto trouble =
          carry.prepare(sql_, "UPDATE lease SET since_mono = ?, ends = ? WHERE token = ?")) {
    return trouble;
  }
  for (const StoreRow& row : carried) {
    auto trouble = row.kind == StoreKind::lease
                       ? carry.bind(row.since_mono).bind(row.ends).bind(row.token).finish()
                       : rulings_.put(row);
    if (trouble) {
      return trouble;
    }
  }
  return std::nullopt;
}

StoreOutcome StoreFile::prepare_statements() {
  struct Row {
    Statement& statement;
    const char* text;
  };
  const Row rows[] = {
      {begin_, "BEGIN IMMEDIATE"},
      {commit_, "COMMIT"},
      {put_,
       "INSERT INTO lease(token, pool, host, id, since_wall, since_mono, length, ends) "
       "VALUES(?,?,?,?,?,?,?,?) ON CONFLICT(token) DO UPDATE SET pool = excluded.pool, host = "
       "excluded.host, id = excluded.id, since_wall = excluded.since_wall, since_mono = "
       "excluded.since_mono, length = excluded.length, ends = excluded.ends"},
      {renew_, "UPDATE lease SET length = ?, ends = ? WHERE token = ?"},
      {remove_, "DELETE FROM lease WHERE token = ?"},
      {put_meta_,
       "INSERT INTO meta(one, minor, commits, rows, top, sum, boot, timens, seen_mono, seen_wall, "
       "machine, program) VALUES(1,?,?,?,?,?,?,?,?,?,?,?) ON CONFLICT(one) DO UPDATE SET minor = "
       "excluded.minor, commits = excluded.commits, rows = excluded.rows, top = excluded.top, sum "
       "= excluded.sum, boot = excluded.boot, timens = excluded.timens, seen_mono = "
       "excluded.seen_mono, seen_wall = excluded.seen_wall, machine = excluded.machine, program = "
       "excluded.program"},
  };
  for (const Row& row : rows) {
    if (auto trouble = row.statement.prepare(sql_, row.text)) {
      return trouble;
    }
  }
  return std::nullopt;
}

StoreOutcome StoreFile::set_room_aside() {
  if (room_ == 0) {
    return std::nullopt;
  }
  Statement take;
  if (auto trouble = sql_.run(room_begins)) {
    return trouble;
  }
  if (auto trouble = take.prepare(sql_, room_taken)) {
    return trouble;
  }
  if (auto trouble = take.bind(room_).finish()) {
    return trouble;
  }
  if (auto trouble = sql_.run(room_given_back)) {
    return trouble;
  }
  return checkpoint();
}

}  // namespace distributex
