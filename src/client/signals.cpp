// SPDX-License-Identifier: MIT
//
// Signals as events. A blocked signal is queued even when it is ignored, so the ignored ones are
// left out of the mask instead of being asked about later. SIGTTOU and SIGTTIN are blocked: the
// client hands the terminal over from the background, and its messages must not stop it.
#include "client/signals.h"

#include <sys/signalfd.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <cstring>

namespace distributex::client {

namespace {

constexpr std::array for_command{SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGUSR1, SIGUSR2};

void add_unless_ignored(sigset_t& set, int signal) {
  struct sigaction given {};
  if (sigaction(signal, nullptr, &given) == 0 && given.sa_handler != SIG_IGN) {
    sigaddset(&set, signal);
  }
}

void set_disposition(int signal, void (*handler)(int), struct sigaction* given) {
  struct sigaction action {};
  action.sa_handler = handler;
  sigemptyset(&action.sa_mask);
  if (sigaction(signal, &action, given) != 0) {
    abort();
  }
}

}  // namespace

Signals::Signals() {
  sigemptyset(&taken_);
  for (const int signal : for_command) {
    add_unless_ignored(taken_, signal);
  }
  // An ignored SIGCHLD would reap our children behind our back.
  set_disposition(SIGCHLD, SIG_DFL, &given_child_);
  set_disposition(SIGPIPE, SIG_IGN, &given_pipe_);
  sigaddset(&taken_, SIGCHLD);
  if (sigprocmask(SIG_BLOCK, &taken_, &given_) != 0) {
    abort();
  }
  apply();
}

Signals::~Signals() { close(fd_); }

void Signals::apply() noexcept {
  sigset_t blocked = taken_;
  sigaddset(&blocked, SIGTTOU);
  sigaddset(&blocked, SIGTTIN);
  fd_ = signalfd(fd_, &taken_, SFD_CLOEXEC | SFD_NONBLOCK);
  if (fd_ == -1 || sigprocmask(SIG_BLOCK, &blocked, nullptr) != 0) {
    abort();
  }
}

void Signals::take_job_control() noexcept {
  add_unless_ignored(taken_, SIGTSTP);
  sigaddset(&taken_, SIGCONT);
  apply();
}

std::optional<int> Signals::next() noexcept {
  signalfd_siginfo info{};
  if (read(fd_, &info, sizeof info) != static_cast<ssize_t>(sizeof info)) {
    return std::nullopt;
  }
  const int signal = static_cast<int>(info.ssi_signo);
  has_interrupt_key_ = has_interrupt_key_ || (signal == SIGINT && info.ssi_code == SI_KERNEL);
  return signal;
}

void Signals::end_by_interrupt() noexcept {
  sigset_t one;
  sigemptyset(&one);
  sigaddset(&one, SIGINT);
  set_disposition(SIGINT, SIG_DFL, nullptr);
  (void)raise(SIGINT);
  (void)sigprocmask(SIG_UNBLOCK, &one, nullptr);
}

void Signals::restore_for_command() const noexcept {
  (void)sigaction(SIGPIPE, &given_pipe_, nullptr);
  (void)sigaction(SIGCHLD, &given_child_, nullptr);
  (void)sigprocmask(SIG_SETMASK, &given_, nullptr);
}

void Signals::stop_group(int signal) noexcept {
  struct sigaction given {};
  sigset_t one;
  sigset_t before;
  sigemptyset(&one);
  sigaddset(&one, signal);
  set_disposition(signal, SIG_DFL, &given);
  (void)kill(0, signal);
  // The kernel ignores the stop where the group is orphaned: then this goes straight on.
  (void)sigprocmask(SIG_UNBLOCK, &one, &before);
  (void)sigprocmask(SIG_SETMASK, &before, nullptr);
  (void)sigaction(signal, &given, nullptr);
}

bool is_for_command(int signal) {
  return std::find(for_command.begin(), for_command.end(), signal) != for_command.end();
}

std::string signal_name(int signal) {
  const char* name = sigabbrev_np(signal);
  return name == nullptr ? "signal " + std::to_string(signal) : std::string("SIG") + name;
}

}  // namespace distributex::client
