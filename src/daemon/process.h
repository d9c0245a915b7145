// SPDX-License-Identifier: MIT
// The daemon as a process: goes to the background, writes the pid file, becomes another
// user, raises the limit of open files. Knows nothing of locks, HTTP or the configuration.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/handle.h"

namespace distributex {

// Runs the daemon in a child process. The first process, which the shell started, waits
// until the daemon is ready or has failed, and exits with its code.
class Background {
 public:
  // Returns only in the child; nullopt (errno is set) if fork or pipe fails.
  [[nodiscard]] static std::optional<Background> enter();

  // Lets the first process exit 0, and leaves the terminal: standard input, output and error
  // become /dev/null. The working directory becomes /, so that the daemon keeps no file
  // system busy. If the daemon exits before ready(), the first process exits likewise.
  void ready();

 private:
  explicit Background(Fd report) : report_(std::move(report)) {}
  Fd report_;
};

// A pid file, locked while the process lives and removed at its end. If it cannot be removed
// because the folder belongs to another user, it is emptied instead: another process may
// soon have the number.
class PidFile {
 public:
  // On failure returns one sentence. It fails, too, if a running process has the file.
  [[nodiscard]] static std::optional<std::string> claim(const std::string& path, PidFile& file);
  PidFile() = default;
  ~PidFile();
  PidFile(const PidFile&) = delete;
  PidFile& operator=(const PidFile&) = delete;

 private:
  std::string path_;
  Fd fd_;
};

// Raises the limit of open files, as far as the process may, to `wanted` connections and the
// other descriptors. Returns for how many connections there is room; logs it if it is fewer.
[[nodiscard]] uint32_t room_for_connections(uint32_t wanted);

// Makes the path absolute. Keeps symbolic links, so that a link that is moved later leads to
// the new place. Returns an empty path, or one in a folder that is gone, unchanged.
[[nodiscard]] std::string absolute_path(const std::string& path);

// Gives the paths to the user, then becomes this user with all its groups. On failure
// returns one sentence.
[[nodiscard]] std::optional<std::string> become_user(const std::string& name,
                                                     const std::vector<std::string>& paths);

}  // namespace distributex
