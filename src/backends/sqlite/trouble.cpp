// SPDX-License-Identifier: MIT
// Sorts SQLite's codes by what a person can do about them.
#include "backends/sqlite/trouble.h"

#include <sqlite3.h>

#include <cerrno>
#include <iterator>
#include <system_error>

namespace distributex {

namespace {

using Kind = StoreTrouble::Kind;

std::string reason(int code, int error) {
  std::string text = error != 0 ? std::generic_category().message(error) : sqlite3_errstr(code);
  return text + " (" + std::to_string(code) + ")";
}

}  // namespace

const char* name_of(Kind kind) {
  constexpr const char* names[] = {"full",    "quota", "read_only", "io",     "slow",  "gone",
                                   "damaged", "newer", "foreign",   "in_use", "place", "missing"};
  static_assert(std::size(names) == store_trouble_kinds);
  return names[static_cast<size_t>(kind)];
}

bool is_for_people(Kind kind) {
  return kind == Kind::damaged || kind == Kind::newer || kind == Kind::foreign;
}

std::string folder_of(const std::string& path) {
  const size_t slash = path.rfind('/');
  if (slash == std::string::npos) {
    return ".";
  }
  return slash == 0 ? "/" : path.substr(0, slash);
}

std::string lock_file_of(const std::string& path) {
  return (path.ends_with(".db") ? path.substr(0, path.size() - 3) : path) + ".lock";
}

std::string all_files_of(const std::string& path) {
  return path + ", " + path + "-wal and " + lock_file_of(path);
}

StoreTrouble damage(const std::string& path, const std::string& what) {
  return {Kind::damaged, path + " is damaged (" + what + "): restore it, or remove " +
                             all_files_of(path) + " to start without locks"};
}

StoreTrouble trouble_of(int code, int error, const std::string& path) {
  const int primary = code & 0xff;
  const std::string folder = folder_of(path);
  if (primary == SQLITE_FULL || error == ENOSPC) {
    return {Kind::full, "the disk is full: " + folder};
  }
  if (error == EDQUOT) {
    return {Kind::quota, "the quota of the disk is used up: " + folder};
  }
  if (error == EROFS || primary == SQLITE_READONLY) {
    return {Kind::read_only, "the file system is read-only: " + folder};
  }
  // SQLITE_ERROR: a table or column that every store has is missing.
  if (primary == SQLITE_CORRUPT || primary == SQLITE_ERROR) {
    return damage(path, sqlite3_errstr(code));
  }
  if (primary == SQLITE_NOTADB) {
    return {Kind::foreign,
            path + " is not a store of distributexd: move it away, or name another file"};
  }
  if (primary == SQLITE_BUSY || primary == SQLITE_LOCKED) {
    return {Kind::in_use, path + " is open in another program"};
  }
  if (primary == SQLITE_CANTOPEN || primary == SQLITE_PERM) {
    return {Kind::missing, path + " cannot be opened: " + reason(code, error)};
  }
  return {Kind::io, "the disk fails: " + reason(code, error) + ": " + folder};
}

}  // namespace distributex
