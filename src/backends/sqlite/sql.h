// SPDX-License-Identifier: MIT
// SQLite in the few calls that a store needs: a connection that knows the errno of a failed
// call, and statements that are prepared once. Out of memory ends the process, as
// everywhere.
#pragma once

#include <sqlite3.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "backends/sqlite/trouble.h"
#include "base/handle.h"

namespace distributex {

using SqliteHandle = std::unique_ptr<sqlite3, FreeWith<sqlite3_close_v2>>;
using StatementHandle = std::unique_ptr<sqlite3_stmt, FreeWith<sqlite3_finalize>>;

class Sql {
 public:
  // Returns nullopt, or why the database cannot be opened.
  [[nodiscard]] std::optional<StoreTrouble> open(const std::string& path, bool may_create);
  [[nodiscard]] sqlite3* handle() const { return db_.get(); }
  [[nodiscard]] bool is_open() const { return db_ != nullptr; }
  void close() { db_.reset(); }

  // Runs statements that have neither values nor rows, separated by ";".
  [[nodiscard]] std::optional<StoreTrouble> run(const char* statements);
  // Sets value to the first column of the statement's first row.
  [[nodiscard]] std::optional<StoreTrouble> ask(const char* statement, std::string& value);
  [[nodiscard]] std::optional<StoreTrouble> ask(const char* statement, int64_t& value);
  // Describes the last call, which returned this code.
  [[nodiscard]] StoreTrouble trouble(int code) const;

 private:
  std::string path_;
  SqliteHandle db_;
};

// Values are bound from left to right; texts must live until the statement has run.
class Statement {
 public:
  [[nodiscard]] std::optional<StoreTrouble> prepare(Sql& sql, const char* text);
  Statement& bind(int64_t value);
  Statement& bind(std::optional<int64_t> value);
  Statement& bind(uint64_t value) { return bind(static_cast<int64_t>(value)); }
  Statement& bind(std::string_view value);
  // Runs the statement to its end.
  [[nodiscard]] std::optional<StoreTrouble> finish();
  // Goes to the next row; sets row to false at the end.
  [[nodiscard]] std::optional<StoreTrouble> next(bool& row);

  // A column of the row, counted from 0; nullopt if it has another type.
  [[nodiscard]] std::optional<int64_t> number(int column) const;
  [[nodiscard]] std::optional<std::string_view> text(int column) const;
  [[nodiscard]] bool is_null(int column) const;

 private:
  const Sql* sql_ = nullptr;
  StatementHandle statement_;
  int bound_ = 0;
};

}  // namespace distributex
