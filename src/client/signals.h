// SPDX-License-Identifier: MIT
//
// The signals the client takes: blocked from the moment this object exists, read from a descriptor,
// so none is lost between two steps. What was ignored when we were started (nohup, a shell's
// background job) stays ignored for us and the command.
#pragma once

#include <signal.h>

#include <optional>
#include <string>

namespace distributex::client {

class Signals {
 public:
  Signals();
  ~Signals();
  Signals(const Signals&) = delete;
  Signals& operator=(const Signals&) = delete;

  [[nodiscard]] int fd() const { return fd_; }
  [[nodiscard]] std::optional<int> next() noexcept;

  // From now on the stop of the terminal (SIGTSTP) and SIGCONT are taken as well: needed while a
  // command runs.
  void take_job_control() noexcept;
  // For a child before exec: mask and dispositions as we were given them. Async-signal-safe.
  void restore_for_command() const noexcept;
  // Whether Ctrl-C has been pressed: a SIGINT of the terminal, not one that somebody sent, was read
  // here, or went to the command that had the terminal.
  [[nodiscard]] bool has_interrupt_key() const { return has_interrupt_key_; }
  void note_interrupt_key() { has_interrupt_key_ = true; }
  // Ends this process by SIGINT itself. To a script around us no exit code says the same: only this
  // tells it that the key was not handled, and that it is to end as well.
  void end_by_interrupt() noexcept;
  // Stops the whole process group of the caller, as the terminal would have; returns when
  // continued, or at once where nobody could continue it.
  void stop_group(int signal) noexcept;

 private:
  void apply() noexcept;

  int fd_ = -1;
  bool has_interrupt_key_ = false;
  sigset_t taken_{};
  sigset_t given_{};
  struct sigaction given_pipe_ {};
  struct sigaction given_child_ {};
};

// Those that people send to a command: INT, TERM, HUP, QUIT, USR1, USR2.
[[nodiscard]] bool is_for_command(int signal);
// "SIGTERM"
[[nodiscard]] std::string signal_name(int signal);

}  // namespace distributex::client
