// SPDX-License-Identifier: MIT
//
// distributex: runs a command while holding a lock that all hosts respect. Here are only the steps,
// in the order in which their failures must show: nothing is asked of a server before the local
// lock is held, nothing is run before the lock is ours.
#include "client/acquire.h"
#include "client/front.h"
#include "client/locallock.h"
#include "client/probe.h"
#include "client/say.h"

#include <stdio.h>
#include <unistd.h>

namespace distributex::client {

namespace {

int run_locked(const Options& options, const Descriptors& descriptors, const Identity& identity,
               Signals& signals, Moment begun) {
  LocalLock local;
  if (options.local) {
    auto taken = LocalLock::take(options, signals, begun);
    if (const int* code = std::get_if<int>(&taken)) {
      return *code;
    }
    local = std::move(std::get<LocalLock>(taken));
  }
  Api api(options.proxy);
  const Requests requests(options, identity);
  const auto outcome = Acquire(options, requests, api, signals, begun).run();
  if (const int* code = std::get_if<int>(&outcome)) {
    return *code;
  }
  return run_under_lock(options, identity, requests, descriptors, api, signals,
                        std::get<Holding>(outcome));
}

int run(const Options& options, const Descriptors& descriptors) {
  const Identity identity = make_identity(options.id);
  Signals signals;
  const int code = run_locked(options, descriptors, identity, signals, read_clock());
  const bool is_in_script = getpgrp() != getpid();
  if (code == exit_by_signal + SIGINT && signals.has_interrupt_key() && is_in_script) {
    signals.end_by_interrupt();
  }
  return code;
}

int dispatch(const Options& options, const Descriptors& descriptors) {
  switch (options.mode) {
    case Mode::help:
      return fputs(help_text().c_str(), stdout) >= 0 && fflush(stdout) == 0 ? 0 : exit_usage;
    case Mode::version:
      return puts("distributex " DISTRIBUTEX_VERSION) >= 0 && fflush(stdout) == 0 ? 0 : exit_usage;
    case Mode::status:
      return print_status(options);
    case Mode::ping:
      return ping(options);
    case Mode::run:
      break;
  }
  return run(options, descriptors);
}

}  // namespace

}  // namespace distributex::client

int main(int argc, char** argv) {
  using namespace distributex::client;
  const Descriptors descriptors;
  std::string error;
  const auto options = parse_options(argc, argv, error);
  if (!options) {
    complain("%s; see distributex --help", error.c_str());
    return exit_usage;
  }
  set_loudness(options->quiet ? Loudness::quiet
                              : (options->verbose ? Loudness::verbose : Loudness::normal));
  return dispatch(*options, descriptors);
}
