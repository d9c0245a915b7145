// SPDX-License-Identifier: MIT
#include "base/thread.h"

#include <fcntl.h>
#include <sys/eventfd.h>
#include <sysexits.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <string>

#include "base/log.h"

namespace distributex {

namespace {

[[noreturn]] void end(const char* name, int error) {
  const std::string text = std::string("cannot have ") + name + ": " + std::strerror(error);
  log_flush();
  log_last_word(text.c_str());
  std::_Exit(EX_OSERR);
}

}  // namespace

pthread_t start_thread(const char* name, void* (*run)(void*), void* argument) {
  sigset_t all;
  sigset_t before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  pthread_t thread{};
  if (const int error = pthread_create(&thread, nullptr, run, argument)) {
    end("another thread", error);
  }
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
  pthread_setname_np(thread, name);
  return thread;
}

Waker::Waker() : fd_(eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)) {
  if (!fd_) {
    end("an eventfd", errno);
  }
}

Fd Waker::copy() const {
  Fd copy{fcntl(fd_.get(), F_DUPFD_CLOEXEC, 0)};
  if (!copy) {
    end("another descriptor", errno);
  }
  return copy;
}

// If the counter is full the write fails, and the descriptor is readable all the same.
void Waker::wake() const {
  const uint64_t one = 1;
  (void)!write(fd_.get(), &one, sizeof one);
}

void Waker::calm() const {
  uint64_t count = 0;
  (void)!read(fd_.get(), &count, sizeof count);
}

}  // namespace distributex
