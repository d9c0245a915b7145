// SPDX-License-Identifier: MIT
//
// The signals that the client takes: blocked from the moment this object exists and read from a
// descriptor, so that none is lost between two steps. Signals that were ignored when the client was
// started (nohup, a shell's background job) stay ignored, by the client and by the command.
#pragma once

#include <signal.h>

#include <optional>
#include <string>

#include "base/handle.h"
#include "client/clock.h"

namespace distributex::client {

class Signals {
 public:
  Signals();
  Signals(const Signals&) = delete;
  Signals& operator=(const Signals&) = delete;

  [[nodiscard]] int fd() const { return fd_.get(); }
  [[nodiscard]] std::optional<int> next() noexcept;
  // Whether next() has returned this signal before, or note_taken() was called for it.
  [[nodiscard]] bool has_taken(int signal) const { return sigismember(&seen_, signal) == 1; }
  // For a key that the terminal sent to the command alone, because the command had the terminal.
  void note_taken(int signal) { sigaddset(&seen_, signal); }

  // From now on the stop of the terminal (SIGTSTP) and SIGCONT are taken as well: needed while a
  // command runs. False, with errno, when the system refuses: then a lock is to be given back.
  [[nodiscard]] bool take_job_control() noexcept;
  // For a child before exec: mask and dispositions as the client was given them. Async-signal-safe.
  void restore_for_command() const noexcept;
  // For a child before exec that may read from the terminal: an interactive shell ignores the stops
  // of readers and writers in the background for what it runs in $( ), and then the child would
  // get EIO instead of being stopped and handed the terminal. Async-signal-safe.
  static void stop_when_in_background() noexcept;
  // Ends this process by the signal, without a core. Returns where that cannot be: process 1 of a
  // container has no default actions.
  static void end_by(int signal) noexcept;
  // Stops the whole process group of the caller, as the terminal would have; returns when it is
  // continued, or at once where nobody could continue it.
  void stop_group(int signal) noexcept;

 private:
  // Returns the call that was refused, with errno; nullptr when all is as it should be.
  [[nodiscard]] const char* apply() noexcept;

  Fd fd_;
  sigset_t seen_{};
  sigset_t taken_{};
  sigset_t given_{};
  struct sigaction given_pipe_ {};
  struct sigaction given_child_ {};
};

// Notices that somebody wants the client to end although it still has something to give back. One
// order reaches the client more than once: service managers and timeout(1) signal each process and
// the group. So only a second one, half a second or more after the one before, is impatience.
class Patience {
 public:
  // True when this signal, at `now`, ends the patience.
  [[nodiscard]] bool is_over_with(int signal, Moment now);

 private:
  std::optional<Moment> last_;
};

// Those that people send to a command: INT, TERM, HUP, QUIT, USR1, USR2.
[[nodiscard]] bool is_for_command(int signal);
// "SIGTERM"
[[nodiscard]] std::string signal_name(int signal);

}  // namespace distributex::client
