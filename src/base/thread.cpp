// SPDX-License-Identifier: MIT
#include "base/thread.h"

#include <sysexits.h>

#include <csignal>
#include <cstdlib>
#include <cstring>
#include <string>

#include "base/log.h"

namespace distributex {

pthread_t start_thread(const char* name, void* (*run)(void*), void* argument) {
  sigset_t all;
  sigset_t before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  pthread_t thread{};
  if (const int error = pthread_create(&thread, nullptr, run, argument)) {
    const std::string text =
        "cannot start the thread \"" + std::string(name) + "\": " + std::strerror(error);
    log_flush();
    log_last_word(text.c_str());
    std::_Exit(EX_OSERR);
  }
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
  pthread_setname_np(thread, name);
  return thread;
}

}  // namespace distributex
