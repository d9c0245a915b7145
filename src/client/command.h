// SPDX-License-Identifier: MIT
//
// The user's command as a process group: started, signalled, reaped. What was inherited by us is
// inherited by it (descriptors, signal dispositions, mask), and nothing of ours is.
#pragma once

#include "client/descriptors.h"
#include "client/signals.h"
#include "client/terminal.h"

#include <sys/types.h>

#include <optional>
#include <string>
#include <vector>

namespace distributex::client {

class Command {
 public:
  Command(const Descriptors& descriptors, const Signals& signals, const Terminal& terminal)
      : descriptors_(descriptors), signals_(signals), terminal_(terminal) {}
  ~Command();
  Command(const Command&) = delete;
  Command& operator=(const Command&) = delete;

  // False when no process can be made; errno says why. A program that cannot be run shows as an
  // exit code.
  [[nodiscard]] bool start(const std::vector<std::string>& words, bool in_foreground);

  // To the whole group. Nothing once it is empty: its number may be somebody else's by then.
  void send(int signal) noexcept;

  // What the children of this process did since the last call, the command and those it orphaned.
  struct News {
    int stopped_by = 0;  // the command was stopped by this signal
    bool continued = false;
  };
  [[nodiscard]] News reap() noexcept;

  // The exit code of the command's main process: its own, 128+N, 126 or 127. Nothing while it runs.
  [[nodiscard]] std::optional<int> code() const { return code_; }
  // Whether the main process and everything that stayed in its group are gone.
  [[nodiscard]] bool is_over() noexcept;
  // Why it could not be run; empty: it could.
  [[nodiscard]] const std::string& trouble() const { return trouble_; }
  [[nodiscard]] pid_t group() const { return pid_; }

 private:
  [[noreturn]] void become(const std::vector<char*>& words, int report, bool in_foreground,
                           pid_t keeper) const noexcept;
  void take_exit(int status) noexcept;

  const Descriptors& descriptors_;
  const Signals& signals_;
  const Terminal& terminal_;
  pid_t pid_ = -1;
  int report_ = -1;  // where the child says why exec failed
  bool is_empty_ = true;
  std::optional<int> code_;
  std::string trouble_;
};

}  // namespace distributex::client
