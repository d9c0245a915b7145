// SPDX-License-Identifier: MIT
//
// Signals as events. The kernel queues a blocked signal even when it is ignored, so ignored signals
// are left out of the mask. SIGTTOU and SIGTTIN are blocked: the client hands the terminal over
// from the background, and its messages must not stop it.
#include "client/signals.h"

#include <errno.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstring>

#include "client/say.h"

namespace distributex::client {

namespace {

constexpr Span apart = std::chrono::milliseconds(500);

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
    give_up("sigaction");
  }
}

}  // namespace

Signals::Signals() {
  sigemptyset(&taken_);
  sigemptyset(&seen_);
  for (const int signal : for_command) {
    add_unless_ignored(taken_, signal);
  }
  // If SIGCHLD were ignored, the kernel would reap the children, and no exit code could be read.
  set_disposition(SIGCHLD, SIG_DFL, &given_child_);
  set_disposition(SIGPIPE, SIG_IGN, &given_pipe_);
  sigaddset(&taken_, SIGCHLD);
  if (sigprocmask(SIG_BLOCK, &taken_, &given_) != 0) {
    give_up("sigprocmask");
  }
  if (const char* refused = apply()) {
    give_up(refused);
  }
}

const char* Signals::apply() noexcept {
  sigset_t blocked = taken_;
  sigaddset(&blocked, SIGTTOU);
  sigaddset(&blocked, SIGTTIN);
  const int fd = signalfd(fd_.get(), &taken_, SFD_CLOEXEC | SFD_NONBLOCK);
  if (fd == -1) {
    return "signalfd";
  }
  if (!fd_) {
    fd_.reset(fd);
  }
  return sigprocmask(SIG_BLOCK, &blocked, nullptr) == 0 ? nullptr : "sigprocmask";
}

bool Signals::take_job_control() noexcept {
  add_unless_ignored(taken_, SIGTSTP);
  sigaddset(&taken_, SIGCONT);
  return apply() == nullptr;
}

std::optional<int> Signals::next() noexcept {
  signalfd_siginfo info{};
  ssize_t got = 0;
  do {
    got = read(fd_.get(), &info, sizeof info);
  } while (got == -1 && errno == EINTR);
  if (got != static_cast<ssize_t>(sizeof info)) {
    return std::nullopt;
  }
  const int signal = static_cast<int>(info.ssi_signo);
  sigaddset(&seen_, signal);
  return signal;
}

void Signals::end_by(int signal) noexcept {
  sigset_t one;
  sigemptyset(&one);
  sigaddset(&one, signal);
  set_disposition(signal, SIG_DFL, nullptr);
  (void)prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
  (void)raise(signal);
  (void)sigprocmask(SIG_UNBLOCK, &one, nullptr);
}

void Signals::stop_when_in_background() noexcept {
  struct sigaction action {};
  action.sa_handler = SIG_DFL;
  (void)sigaction(SIGTTIN, &action, nullptr);
  (void)sigaction(SIGTTOU, &action, nullptr);
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
  // If the group is orphaned, the kernel ignores the stop, and this goes straight on.
  (void)sigprocmask(SIG_UNBLOCK, &one, &before);
  (void)sigprocmask(SIG_SETMASK, &before, nullptr);
  (void)sigaction(signal, &given, nullptr);
}

bool Patience::is_over_with(int signal, Moment now) {
  // HUP, USR1 and USR2 do not tell many commands to end.
  if (signal != SIGINT && signal != SIGTERM && signal != SIGQUIT) {
    return false;
  }
  const bool is_second = last_ && now - *last_ >= apart;
  last_ = now;
  return is_second;
}

bool is_for_command(int signal) {
  return std::find(for_command.begin(), for_command.end(), signal) != for_command.end();
}

std::string signal_name(int signal) {
  const char* name = sigabbrev_np(signal);
  return name == nullptr ? "signal " + std::to_string(signal) : std::string("SIG") + name;
}

}  // namespace distributex::client
