// SPDX-License-Identifier: MIT
#include "backends/sqlite/notes.h"

#include <algorithm>

namespace distributex {

namespace {

constexpr const char* table =
    "CREATE TABLE IF NOT EXISTS note(token INTEGER PRIMARY KEY, text TEXT NOT NULL);"
    "DELETE FROM note WHERE token NOT IN (SELECT token FROM lease)";

void put_into(std::vector<StoreRow>& rows, Token token, std::string_view note) {
  const auto row = std::lower_bound(rows.begin(), rows.end(), token,
                                    [](const StoreRow& each, Token t) { return each.token < t; });
  if (row != rows.end() && row->token == token && note.size() <= note_max) {
    row->note = note;
  }
}

}  // namespace

StoreOutcome read_notes(Sql& sql, std::vector<StoreRow>& rows) {
  int64_t tables = 0;
  if (auto trouble = sql.ask(
          "SELECT count(*) FROM sqlite_schema WHERE type = 'table' AND name = 'note'", tables)) {
    return trouble;
  }
  if (tables == 0) {
    return std::nullopt;
  }
  Statement all;
  if (auto trouble = all.prepare(sql, "SELECT token, text FROM note")) {
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
    put_into(rows, static_cast<Token>(all.number(0).value_or(0)), all.text(1).value_or(""));
  }
}

StoreOutcome StoreNotes::prepare(Sql& sql) {
  if (auto trouble = sql.run(table)) {
    return trouble;
  }
  if (auto trouble = put_.prepare(sql, "INSERT OR REPLACE INTO note(token, text) VALUES(?,?)")) {
    return trouble;
  }
  return remove_.prepare(sql, "DELETE FROM note WHERE token = ?");
}

StoreOutcome StoreNotes::put(Token token, std::string_view note) {
  return put_.bind(token).bind(note).finish();
}

StoreOutcome StoreNotes::remove(Token token) { return remove_.bind(token).finish(); }

}  // namespace distributex
