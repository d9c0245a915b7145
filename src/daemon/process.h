// SPDX-License-Identifier: MIT
// The daemon as a process: into the background, the pid file, another user.
// Knows nothing of locks, HTTP or the configuration.
#pragma once

#include <sys/types.h>

#include <optional>
#include <string>
#include <vector>

#include "base/handle.h"

namespace distributex {

// Two forks' distance between the shell and the daemon. The first process
// waits until the daemon is ready or has failed, and exits with its code.
class Background {
 public:
  // Returns in the daemon alone; nothing when fork or pipe fails (errno).
  [[nodiscard]] static std::optional<Background> enter();

  // Lets the first process exit 0 and gives up the terminal: standard input,
  // output and error become /dev/null, and so that no file system is kept busy,
  // the working directory becomes /. An exit before is its exit, too.
  void ready();

 private:
  explicit Background(Fd report) : report_(std::move(report)) {}
  Fd report_;
};

// A pid file, locked while the process lives and removed at its end. Where the folder
// belongs to somebody else, so that it cannot be removed, it is emptied instead: the
// number that stood in it may soon be that of another process.
class PidFile {
 public:
  // On failure one sentence, also when a live process has it.
  [[nodiscard]] static std::optional<std::string> claim(const std::string& path, PidFile& file);
  PidFile() = default;
  ~PidFile();
  PidFile(const PidFile&) = delete;
  PidFile& operator=(const PidFile&) = delete;

 private:
  std::string path_;
  Fd fd_;
};

// The path as it reads from any working directory. Symbolic links stay: who
// moves one means the new place. An empty one, or one in a lost folder, stays.
[[nodiscard]] std::string absolute_path(const std::string& path);

// Gives the paths to the user, then becomes it with all its groups. On failure
// one sentence.
[[nodiscard]] std::optional<std::string> become_user(const std::string& name,
                                                     const std::vector<std::string>& paths);

}  // namespace distributex
