// SPDX-License-Identifier: MIT
//
// distributex: runs a command while holding a lock that all hosts respect. Here are only the steps,
// in their order: the client takes the local lock before it asks a server, and runs nothing before
// a server has granted the lock.
#include "client/acquire.h"
#include "client/conf.h"
#include "client/front.h"
#include "client/locallock.h"
#include "client/order.h"
#include "client/probe.h"
#include "client/say.h"

namespace distributex::client {

namespace {

Ending run_locked(const Options& options, const Descriptors& descriptors, const Identity& identity,
                  Signals& signals, Moment begun) {
  LocalLock local;
  if (options.local) {
    auto taken = LocalLock::take(options, signals, begun);
    if (const Ending* ending = std::get_if<Ending>(&taken)) {
      return *ending;
    }
    local = std::move(std::get<LocalLock>(taken));
  }
  Equipment equipment;
  Api api(options.proxy, options.proofs);
  const Requests requests(options, identity);
  const auto outcome = Acquire(options, requests, api, signals, begun).run();
  if (const Ending* ending = std::get_if<Ending>(&outcome)) {
    return *ending;
  }
  return run_under_lock(options, identity, requests, descriptors, equipment, api, signals,
                        std::get<Holding>(outcome));
}

int run(const Options& options, const Descriptors& descriptors) {
  const Moment begun = read_clock();
  const Identity identity = make_identity(options.host, options.id, patience_for_name(options));
  Signals signals;
  const Ending ending = run_locked(options, descriptors, identity, signals, begun);
  if (ending.signal != 0) {
    Signals::end_by(ending.signal);
  }
  return ending.code;
}

int dispatch(const Options& options, const Descriptors& descriptors) {
  switch (options.mode) {
    case Mode::help:
      return print(help_text());
    case Mode::version:
      return print("distributex " DISTRIBUTEX_VERSION "\n");
    case Mode::status:
      return print_status(options);
    case Mode::ping:
      return ping(options);
    case Mode::freeze:
    case Mode::thaw:
    case Mode::evict:
      return give_order(options);
    case Mode::run:
      break;
  }
  return run(options, descriptors);
}

}  // namespace

}  // namespace distributex::client

int main(int argc, char** argv) {
  using namespace distributex::client;
  give_up_when_out_of_memory();
  const Descriptors descriptors;
  std::string error;
  const auto options = gather_options(argc, argv, error);
  if (!options) {
    complain("%s", error.c_str());
    return exit_usage;
  }
  set_loudness(options->quiet ? Loudness::quiet
                              : (options->verbose ? Loudness::verbose : Loudness::normal));
  return dispatch(*options, descriptors);
}
