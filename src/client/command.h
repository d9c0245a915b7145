// SPDX-License-Identifier: MIT
//
// The user's command as a process group: started, signalled, reaped. It inherits what the client
// inherited (descriptors, signal dispositions, signal mask) and nothing that the client made.
#pragma once

#include <sys/types.h>

#include <optional>
#include <string>
#include <vector>

#include "client/descriptors.h"
#include "client/signals.h"
#include "client/terminal.h"

namespace distributex::client {

class Command {
 public:
  Command(const Descriptors& descriptors, const Signals& signals, const Terminal& terminal)
      : descriptors_(descriptors), signals_(signals), terminal_(terminal) {}
  Command(const Command&) = delete;
  Command& operator=(const Command&) = delete;

  // Returns false, with errno, if no process can be made. If the program cannot be run, code() and
  // trouble() tell it later.
  [[nodiscard]] bool start(const std::vector<std::string>& words, bool in_foreground);

  // Signals the whole group; does nothing once the group is empty, for another group may have its
  // number. Returns errno if the system refused it for the main process or for all, else 0.
  int send(int signal) noexcept;

  // Reaps the children of this process, the command and its orphans. Returns the signal that has
  // stopped the command, or 0.
  [[nodiscard]] int reap() noexcept;

  // The exit code of the main process: its own, 128+N, 126 or 127; nullopt while it runs.
  [[nodiscard]] std::optional<int> code() const { return code_; }
  // The signal that ended the main process; 0: none.
  [[nodiscard]] int killed_by() const { return killed_by_; }
  // Whether the main process and everything that stayed in its group have ended.
  [[nodiscard]] bool is_over() noexcept;
  // Why the program could not be run; empty: it was run.
  [[nodiscard]] const std::string& trouble() const { return trouble_; }
  [[nodiscard]] pid_t group() const { return pid_; }

 private:
  enum class Turn { foreground, on_demand, none };  // when the command gets the terminal
  [[noreturn]] void become(const std::vector<char*>& words, int report, Turn turn,
                           pid_t keeper) const noexcept;
  void take_exit(int status) noexcept;

  const Descriptors& descriptors_;
  const Signals& signals_;
  const Terminal& terminal_;
  pid_t pid_ = -1;
  Fd report_;  // the pipe through which the child reports why exec failed
  bool is_empty_ = true;
  std::optional<int> code_;
  int killed_by_ = 0;
  std::string trouble_;
};

}  // namespace distributex::client
