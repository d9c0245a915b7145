// SPDX-License-Identifier: MIT
// SQLite tells the errno of a failed sync only to its error log. So on_log() keeps the errno
// of the last log line in a variable of the thread, and trouble() takes it from there.
#include "backends/sqlite/sql.h"

#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>

#include "base/log.h"

namespace distributex {

namespace {

thread_local int logged_error = 0;

// os_unix.c writes "os_unix.c:LINE: (ERRNO) CALL(FILE) - TEXT".
void on_log(void*, int code, const char* text) noexcept {
  if ((code & 0xff) == SQLITE_NOTICE || (code & 0xff) == SQLITE_WARNING) {
    return;
  }
  if (std::strncmp(text, "os_unix.c:", 10) != 0) {
    return;
  }
  const char* number = std::strchr(text, '(');
  if (number) {
    logged_error = static_cast<int>(std::strtol(number + 1, nullptr, 10));
  }
}

// Must run before the first connection of the process.
bool set_up() {
  const bool logs = sqlite3_config(SQLITE_CONFIG_LOG, on_log, nullptr) == SQLITE_OK;
  return sqlite3_initialize() == SQLITE_OK && logs;
}

[[noreturn]] void end_without_memory() {
  log_last_word("out of memory");
  std::abort();
}

int checked(int code) {
  if ((code & 0xff) == SQLITE_NOMEM) {
    end_without_memory();
  }
  return code;
}

}  // namespace

std::optional<StoreTrouble> Sql::open(const std::string& path, bool may_create) {
  static const bool is_set_up = set_up();
  (void)is_set_up;  // without the log, reasons are only less exact
  path_ = path;
  logged_error = 0;
  sqlite3* db = nullptr;
  const int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE |
                    (may_create ? SQLITE_OPEN_CREATE : 0);
  const int code = checked(sqlite3_open_v2(path.c_str(), &db, flags, nullptr));
  db_.reset(db);
  if (code != SQLITE_OK) {
    StoreTrouble trouble = this->trouble(code);
    db_.reset();
    return trouble;
  }
  // SQLite opens a file that may only be read, and fails later with less of a reason.
  if (sqlite3_db_readonly(db, "main") == 1) {
    const int error = access(path.c_str(), W_OK) == 0 ? EACCES : errno;
    db_.reset();
    return StoreTrouble{StoreTrouble::Kind::read_only,
                        path + " cannot be written: " + std::strerror(error)};
  }
  return std::nullopt;
}

StoreTrouble Sql::trouble(int code) const {
  int error = db_ ? sqlite3_system_errno(db_.get()) : 0;
  if (error == 0) {
    error = logged_error;
  }
  logged_error = 0;
  const int primary = code & 0xff;
  const bool is_of_system =
      primary == SQLITE_IOERR || primary == SQLITE_CANTOPEN || primary == SQLITE_FULL;
  return trouble_of(code, is_of_system ? error : 0, path_);
}

std::optional<StoreTrouble> Sql::run(const char* statements) {
  logged_error = 0;
  const int code = checked(sqlite3_exec(db_.get(), statements, nullptr, nullptr, nullptr));
  return code == SQLITE_OK ? std::nullopt : std::optional{trouble(code)};
}

std::optional<StoreTrouble> Sql::ask(const char* statement, std::string& value) {
  Statement asked;
  bool row = false;
  if (auto trouble = asked.prepare(*this, statement)) {
    return trouble;
  }
  if (auto trouble = asked.next(row)) {
    return trouble;
  }
  value = row ? asked.text(0).value_or("") : "";
  return std::nullopt;
}

std::optional<StoreTrouble> Sql::ask(const char* statement, int64_t& value) {
  Statement asked;
  bool row = false;
  if (auto trouble = asked.prepare(*this, statement)) {
    return trouble;
  }
  if (auto trouble = asked.next(row)) {
    return trouble;
  }
  value = row ? asked.number(0).value_or(0) : 0;
  return std::nullopt;
}

std::optional<StoreTrouble> Statement::prepare(Sql& sql, const char* text) {
  sql_ = &sql;
  logged_error = 0;
  sqlite3_stmt* statement = nullptr;
  const int code = checked(
      sqlite3_prepare_v3(sql.handle(), text, -1, SQLITE_PREPARE_PERSISTENT, &statement, nullptr));
  statement_.reset(statement);
  return code == SQLITE_OK ? std::nullopt : std::optional{sql.trouble(code)};
}

Statement& Statement::bind(int64_t value) {
  checked(sqlite3_bind_int64(statement_.get(), ++bound_, value));
  return *this;
}

Statement& Statement::bind(std::optional<int64_t> value) {
  if (value) {
    return bind(*value);
  }
  checked(sqlite3_bind_null(statement_.get(), ++bound_));
  return *this;
}

Statement& Statement::bind(std::string_view value) {
  checked(sqlite3_bind_text(statement_.get(), ++bound_, value.data(),
                            static_cast<int>(value.size()), SQLITE_STATIC));
  return *this;
}

std::optional<StoreTrouble> Statement::next(bool& row) {
  logged_error = 0;
  const int code = checked(sqlite3_step(statement_.get()));
  row = code == SQLITE_ROW;
  if (row) {
    return std::nullopt;
  }
  bound_ = 0;
  std::optional<StoreTrouble> trouble;
  if (code != SQLITE_DONE) {
    trouble = sql_->trouble(code);
  }
  sqlite3_reset(statement_.get());
  return trouble;
}

std::optional<StoreTrouble> Statement::finish() {
  for (bool row = true; row;) {
    if (auto trouble = next(row)) {
      return trouble;
    }
  }
  return std::nullopt;
}

std::optional<int64_t> Statement::number(int column) const {
  if (sqlite3_column_type(statement_.get(), column) != SQLITE_INTEGER) {
    return std::nullopt;
  }
  return sqlite3_column_int64(statement_.get(), column);
}

std::optional<std::string_view> Statement::text(int column) const {
  if (sqlite3_column_type(statement_.get(), column) != SQLITE_TEXT) {
    return std::nullopt;
  }
  const unsigned char* text = sqlite3_column_text(statement_.get(), column);
  if (!text) {
    end_without_memory();
  }
  const int size = sqlite3_column_bytes(statement_.get(), column);
  return std::string_view(reinterpret_cast<const char*>(text), static_cast<size_t>(size));
}

bool Statement::is_null(int column) const {
  return sqlite3_column_type(statement_.get(), column) == SQLITE_NULL;
}

}  // namespace distributex
