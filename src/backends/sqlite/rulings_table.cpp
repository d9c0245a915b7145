// SPDX-License-Identifier: MIT
// A ruling's key is its kind and its pool, and for a rest its token too: a pool may have
// many rests.
#include "backends/sqlite/rulings_table.h"

#include <utility>

namespace distributex {

namespace {

constexpr size_t text_max = 4096;

constexpr const char* tables =
    "CREATE TABLE IF NOT EXISTS ruling(kind INTEGER NOT NULL, pool TEXT NOT NULL, slot INTEGER NOT "
    "NULL, token INTEGER NOT NULL, host TEXT NOT NULL, id TEXT NOT NULL, text TEXT NOT NULL, "
    "since_wall INTEGER NOT NULL, since_mono INTEGER NOT NULL, length INTEGER, ends INTEGER, "
    "PRIMARY KEY(kind, pool, slot)) WITHOUT ROWID;"
    "CREATE TABLE IF NOT EXISTS rulings(one INTEGER PRIMARY KEY CHECK(one = 1), rows INTEGER NOT "
    "NULL, sum INTEGER NOT NULL)";

// The token if it is part of the key, else 0.
int64_t slot_of(const StoreRow& row) {
  return row.kind == StoreKind::rest ? static_cast<int64_t>(row.token) : 0;
}

bool is_text(const std::optional<std::string_view>& text) {
  return text && text->size() <= text_max;
}

// Returns nullopt if a column has a value that no program of this service writes.
std::optional<StoreRow> row_of(const Statement& all) {
  const auto kind = all.number(0);
  const auto pool = all.text(1);
  const auto token = all.number(2);
  const auto host = all.text(3);
  const auto id = all.text(4);
  const auto text = all.text(5);
  const auto since_wall = all.number(6);
  const auto since_mono = all.number(7);
  if (!kind || *kind < 1 || *kind > 255 || !token || *token < 0 || !since_wall || !since_mono) {
    return std::nullopt;
  }
  if (!is_text(pool) || !is_text(host) || !is_text(id) || !is_text(text)) {
    return std::nullopt;
  }
  const auto length = all.number(8);
  const auto ends = all.number(9);
  if ((!length && !all.is_null(8)) || (!ends && !all.is_null(9))) {
    return std::nullopt;
  }
  return StoreRow{.token = static_cast<Token>(*token),
                  .pool = std::string(*pool),
                  .owner = {std::string(*host), std::string(*id)},
                  .since_wall = *since_wall,
                  .since_mono = *since_mono,
                  .length = length,
                  .ends = ends,
                  .kind = static_cast<StoreKind>(*kind),
                  .text = std::string(*text)};
}

StoreOutcome read_rows(Sql& sql, const std::string& path, std::vector<StoreRow>& rulings) {
  Statement all;
  if (auto trouble = all.prepare(sql,
                                 "SELECT kind, pool, token, host, id, text, since_wall, "
                                 "since_mono, length, ends FROM ruling")) {
    return trouble;
  }
  for (;;) {
    bool more = false;
    if (auto trouble = all.next(more)) {
      return trouble;
    }
    if (!more) {
      return std::nullopt;
    }
    auto row = row_of(all);
    if (!row) {
      return damage(path, "a freeze or a rest has an impossible value");
    }
    rulings.push_back(*std::move(row));
  }
}

StoreOutcome check_totals(Sql& sql, const std::string& path, const std::vector<StoreRow>& rulings) {
  int64_t rows = 0;
  int64_t sum = 0;
  if (auto trouble = sql.ask("SELECT rows FROM rulings WHERE one = 1", rows)) {
    return trouble;
  }
  if (auto trouble = sql.ask("SELECT sum FROM rulings WHERE one = 1", sum)) {
    return trouble;
  }
  uint64_t all = 0;
  for (const StoreRow& row : rulings) {
    all += share_of_ruling(row);
  }
  if (static_cast<uint64_t>(rows) != rulings.size() || static_cast<uint64_t>(sum) != all) {
    return damage(path, "its freezes and rests do not add up");
  }
  return std::nullopt;
}

}  // namespace

StoreOutcome read_rulings(Sql& sql, const std::string& path, std::vector<StoreRow>& rulings) {
  int64_t tables_there = 0;
  if (auto trouble =
          sql.ask("SELECT count(*) FROM sqlite_schema WHERE type = 'table' AND name IN ('ruling', "
                  "'rulings')",
                  tables_there)) {
    return trouble;
  }
  if (tables_there == 0) {
    return std::nullopt;
  }
  if (auto trouble = read_rows(sql, path, rulings)) {
    return trouble;
  }
  return check_totals(sql, path, rulings);
}

StoreOutcome RulingsTable::prepare(Sql& sql) {
  if (auto trouble = sql.run(tables)) {
    return trouble;
  }
  if (auto trouble = put_.prepare(
          sql,
          "INSERT INTO ruling(kind, pool, slot, token, host, id, text, since_wall, since_mono, "
          "length, ends) VALUES(?,?,?,?,?,?,?,?,?,?,?) ON CONFLICT(kind, pool, slot) DO UPDATE SET "
          "token = excluded.token, host = excluded.host, id = excluded.id, text = excluded.text, "
          "since_wall = excluded.since_wall, since_mono = excluded.since_mono, length = "
          "excluded.length, ends = excluded.ends")) {
    return trouble;
  }
  if (auto trouble =
          remove_.prepare(sql, "DELETE FROM ruling WHERE kind = ? AND pool = ? AND slot = ?")) {
    return trouble;
  }
  return put_totals_.prepare(sql,
                             "INSERT INTO rulings(one, rows, sum) VALUES(1,?,?) ON CONFLICT(one) "
                             "DO UPDATE SET rows = excluded.rows, sum = excluded.sum");
}

StoreOutcome RulingsTable::put(const StoreRow& row) {
  return put_.bind(static_cast<int64_t>(row.kind))
      .bind(std::string_view{row.pool})
      .bind(slot_of(row))
      .bind(row.token)
      .bind(std::string_view{row.owner.host})
      .bind(std::string_view{row.owner.id})
      .bind(std::string_view{row.text})
      .bind(row.since_wall)
      .bind(row.since_mono)
      .bind(row.length)
      .bind(row.ends)
      .finish();
}

StoreOutcome RulingsTable::remove(const StoreRow& row) {
  return remove_.bind(static_cast<int64_t>(row.kind))
      .bind(std::string_view{row.pool})
      .bind(slot_of(row))
      .finish();
}

StoreOutcome RulingsTable::put_totals(uint64_t rulings, uint64_t sum) {
  return put_totals_.bind(rulings).bind(sum).finish();
}

void RulingsTable::close() {
  put_ = Statement{};
  remove_ = Statement{};
  put_totals_ = Statement{};
}

}  // namespace distributex
