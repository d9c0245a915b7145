// SPDX-License-Identifier: MIT
// A store counts as damaged if one bit is wrong, or one row or commit is missing.
#include "backends/sqlite/contents.h"

#include <algorithm>

#include "backends/sqlite/notes.h"
#include "backends/sqlite/rulings_table.h"

namespace distributex {

namespace {

using Kind = StoreTrouble::Kind;

constexpr size_t name_max = 255;

std::string missing(uint64_t commits) {
  return std::to_string(commits) + (commits == 1 ? " commit is missing" : " commits are missing");
}

StoreOutcome judge_format(Sql& sql, const std::string& path, StoreContents& contents) {
  int64_t application = 0;
  int64_t format = 0;
  int64_t tables = 0;
  if (auto trouble = sql.ask("PRAGMA application_id", application)) {
    return trouble;
  }
  if (auto trouble = sql.ask("PRAGMA user_version", format)) {
    return trouble;
  }
  if (auto trouble = sql.ask("SELECT count(*) FROM sqlite_schema", tables)) {
    return trouble;
  }
  contents.is_new = application == 0 && format == 0 && tables == 0;
  if (contents.is_new) {
    return std::nullopt;
  }
  if (application != store_application) {
    return StoreTrouble{
        Kind::foreign,
        path + " is not a store of distributexd: move it away, or name another file"};
  }
  if (format > store_format) {
    return StoreTrouble{Kind::newer, path + " has format " + std::to_string(format) +
                                         ", and this program knows " +
                                         std::to_string(store_format) +
                                         ": install the program that wrote it, or a newer one"};
  }
  if (format < 1) {
    return damage(path, "its format is " + std::to_string(format));
  }
  std::string verdict;
  if (auto trouble = sql.ask("PRAGMA quick_check(1)", verdict)) {
    return trouble;
  }
  return verdict == "ok" ? std::nullopt : StoreOutcome{damage(path, verdict.substr(0, 200))};
}

StoreOutcome read_meta(Sql& sql, const std::string& path, StoreMeta& meta, uint64_t& sum) {
  Statement all;
  bool row = false;
  if (auto trouble = all.prepare(sql,
                                 "SELECT minor, commits, rows, top, timens, seen_mono, seen_wall, "
                                 "sum, boot, machine, program FROM meta WHERE one = 1")) {
    return trouble;
  }
  if (auto trouble = all.next(row)) {
    return trouble;
  }
  if (!row) {
    return damage(path, "its first row is missing");
  }
  int64_t numbers[8];
  for (int i = 0; i < 8; i++) {
    const auto number = all.number(i);
    if (!number) {
      return damage(path, "a number in its first row is missing");
    }
    numbers[i] = *number;
  }
  const auto boot = all.text(8);
  const auto machine = all.text(9);
  const auto program = all.text(10);
  if (!boot || !machine || !program) {
    return damage(path, "a text in its first row is missing");
  }
  meta = {.minor = static_cast<uint64_t>(numbers[0]),
          .commits = static_cast<uint64_t>(numbers[1]),
          .rows = static_cast<uint64_t>(numbers[2]),
          .top = static_cast<Token>(numbers[3]),
          .boot = std::string(*boot),
          .timens = static_cast<uint64_t>(numbers[4]),
          .seen_mono = numbers[5],
          .seen_wall = numbers[6],
          .machine = std::string(*machine),
          .program = std::string(*program)};
  sum = static_cast<uint64_t>(numbers[7]);
  return std::nullopt;
}

bool is_name(const std::optional<std::string_view>& text, size_t least) {
  return text && text->size() >= least && text->size() <= name_max;
}

// Returns nullopt if a column has a value that no program of this service writes.
std::optional<StoreRow> row_of(const Statement& all) {
  const auto token = all.number(0);
  const auto pool = all.text(1);
  const auto host = all.text(2);
  const auto id = all.text(3);
  const auto since_wall = all.number(4);
  const auto since_mono = all.number(5);
  const auto length = all.number(6);
  const auto ends = all.number(7);
  if (!token || *token < 1 || static_cast<Token>(*token) > max_token) {
    return std::nullopt;
  }
  if (!is_name(pool, 1) || !is_name(host, 1) || !is_name(id, 0)) {
    return std::nullopt;
  }
  if (!since_wall || !since_mono) {
    return std::nullopt;
  }
  if ((!length && !all.is_null(6)) || (!ends && !all.is_null(7))) {
    return std::nullopt;
  }
  return StoreRow{.token = static_cast<Token>(*token),
                  .pool = std::string(*pool),
                  .owner = {std::string(*host), std::string(*id)},
                  .since_wall = *since_wall,
                  .since_mono = *since_mono,
                  .length = length,
                  .ends = ends};
}

StoreOutcome read_rows(Sql& sql, const std::string& path, StoreContents& contents) {
  Statement all;
  if (auto trouble = all.prepare(sql,
                                 "SELECT token, pool, host, id, since_wall, since_mono, length, "
                                 "ends FROM lease ORDER BY token")) {
    return trouble;
  }
  // Bounded: a damaged number of rows must not ask for all memory.
  contents.rows.reserve(std::min<uint64_t>(contents.meta.rows, 1'000'000));
  for (;;) {
    bool more = false;
    if (auto trouble = all.next(more)) {
      return trouble;
    }
    if (!more) {
      return read_notes(sql, contents.rows);
    }
    auto row = row_of(all);
    if (!row) {
      return damage(path, "a lease has an impossible value");
    }
    contents.rows_sum += share_of(*row);
    contents.rows.push_back(*std::move(row));
  }
}

}  // namespace

std::optional<StoreTrouble> read_store(Sql& sql, const std::string& path,
                                       std::optional<uint64_t> marked, StoreContents& contents) {
  contents = {};
  if (auto trouble = judge_format(sql, path, contents)) {
    return trouble;
  }
  uint64_t sum = share_of(contents.meta);
  if (!contents.is_new) {
    if (auto trouble = read_meta(sql, path, contents.meta, sum)) {
      return trouble;
    }
    if (auto trouble = read_rows(sql, path, contents)) {
      return trouble;
    }
    if (auto trouble = read_rulings(sql, path, contents.rulings)) {
      return trouble;
    }
  }
  if (marked.value_or(0) > contents.meta.commits) {
    return damage(path, missing(*marked - contents.meta.commits));
  }
  if (contents.is_new) {
    return std::nullopt;
  }
  if (contents.rows.size() != contents.meta.rows ||
      contents.rows_sum + share_of(contents.meta) != sum) {
    return damage(path, "its leases do not add up");
  }
  return std::nullopt;
}

}  // namespace distributex
