// SPDX-License-Identifier: MIT
//
// The signals that the client takes. They are blocked as soon as this object exists and read from a
// descriptor, so that none is lost between two steps. Client and command still ignore the signals
// that were ignored when the client was started (nohup, a shell's background job).
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
  // Call it for a signal that the terminal sent to the command only, which had the terminal.
  void note_taken(int signal) { sigaddset(&seen_, signal); }

  // Takes SIGTSTP and SIGCONT as well from now on, while a command runs. Returns false, with errno,
  // if the system refuses; the caller has a lock to give back and must not just exit.
  [[nodiscard]] bool take_job_control() noexcept;
  // For a child before exec: restores mask and dispositions of the client's start.
  // Async-signal-safe.
  void restore_for_command() const noexcept;
  // For a child before exec that may read from the terminal: restores the default of SIGTTIN and
  // SIGTTOU. An interactive shell ignores them for what it runs in $( ), and the child would get
  // EIO instead of being stopped and given the terminal. Async-signal-safe.
  static void stop_when_in_background() noexcept;
  // Ends this process by the signal, without a core. Returns if that is impossible: for process 1
  // of a container, signals have no default action.
  static void end_by(int signal) noexcept;
  // Stops the process group of the caller, as the terminal would have done. Returns when the group
  // is continued, or at once if nobody could continue it.
  void stop_group(int signal) noexcept;

 private:
  // Returns the call that the system refused, with errno; nullptr: none.
  [[nodiscard]] const char* apply() noexcept;

  Fd fd_;
  sigset_t seen_{};
  sigset_t taken_{};
  sigset_t given_{};
  struct sigaction given_pipe_ {};
  struct sigaction given_child_ {};
};

// Notices that somebody wants the client to end at once, although it still has a lock to give back.
// One order may reach the client more than once: service managers and timeout(1) signal each
// process and the group. So only a second signal, half a second or more after the one before,
// counts.
class Patience {
 public:
  // True when this signal, at `now`, ends the patience.
  [[nodiscard]] bool is_over_with(int signal, Moment now);

 private:
  std::optional<Moment> last_;
};

// Whether users send this signal to commands: INT, TERM, HUP, QUIT, USR1, USR2.
[[nodiscard]] bool is_for_command(int signal);
// "SIGTERM"
[[nodiscard]] std::string signal_name(int signal);

}  // namespace distributex::client
