// SPDX-License-Identifier: MIT
// What can be wrong with a store, for the log, for /readyz and as an exit code.
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
    foreign,    // no store
    in_use,     // by another program
    place,      // a file system that keeps no promises
    missing,    // cannot be opened
  };
  Kind kind = Kind::io;
  std::string what;  // one sentence that names the file or folder
};

// What a call on a store comes to: nothing when it is done.
using StoreOutcome = std::optional<StoreTrouble>;

inline constexpr size_t store_trouble_kinds = static_cast<size_t>(StoreTrouble::Kind::missing) + 1;

// A word for metrics: "full".
[[nodiscard]] const char* name_of(StoreTrouble::Kind kind);

// Whether trying again is no help, for what is in the file is wrong.
[[nodiscard]] bool is_for_people(StoreTrouble::Kind kind);

// What the system or SQLite said of a call: its extended result code and errno
// (0: unknown), in words.
[[nodiscard]] StoreTrouble trouble_of(int code, int error, const std::string& path);

// "/a/b" of "/a/b/c", "." of "c".
[[nodiscard]] std::string folder_of(const std::string& path);
// "/a/locks" of "/a/locks.db": what all files of a store begin with.
[[nodiscard]] std::string stem_of(const std::string& path);

[[nodiscard]] StoreTrouble damage(const std::string& path, const std::string& what);

}  // namespace distributex
