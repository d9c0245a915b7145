// SPDX-License-Identifier: MIT
// What can be wrong with a store; for the log, /readyz and the exit code.
#pragma once

#include <cstddef>
#include <optional>
#include <string>

namespace distributex {

struct StoreTrouble {
  enum class Kind {
    full,       // no room
    quota,      // no room for this user
    read_only,  // the file system takes no writes
    io,         // the disk refuses for any other reason
    slow,       // no answer in time
    gone,       // removed or replaced under the daemon
    damaged,    // not what was written
    newer,      // a format that this program does not know
    foreign,    // the file is no store
    in_use,     // another program has it open
    place,      // its file system is of another machine
    missing,    // it cannot be opened
  };
  Kind kind = Kind::io;
  std::string what;  // one sentence that names the file or folder
};

// The result of a call on a store: nullopt if it succeeded.
using StoreOutcome = std::optional<StoreTrouble>;

inline constexpr size_t store_trouble_kinds = static_cast<size_t>(StoreTrouble::Kind::missing) + 1;

// A word for metrics: "full".
[[nodiscard]] const char* name_of(StoreTrouble::Kind kind);

// Whether the file itself is wrong, so that a person must act and a retry cannot help.
[[nodiscard]] bool is_for_people(StoreTrouble::Kind kind);

// Describes a failed call by SQLite's extended result code and errno (0: unknown).
[[nodiscard]] StoreTrouble trouble_of(int code, int error, const std::string& path);

// "/a/b" of "/a/b/c", "." of "c".
[[nodiscard]] std::string folder_of(const std::string& path);
// The file that is locked and has the mark: "/a/locks.lock" for "/a/locks.db".
[[nodiscard]] std::string lock_file_of(const std::string& path);
// All files of the store, for a sentence: whoever removes some of them keeps an old store.
[[nodiscard]] std::string all_files_of(const std::string& path);

[[nodiscard]] StoreTrouble damage(const std::string& path, const std::string& what);

}  // namespace distributex
