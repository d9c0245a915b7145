// SPDX-License-Identifier: MIT
//
// The process that was started by the user, while a command runs: signals, job control and the exit
// code pass through it. When the keeper dies or stands still, the front ends everything before the
// lease ends, and gives the lock back. Until then it speaks no HTTP.
#pragma once

#include <memory>

#include "client/keeper.h"

namespace distributex::client {

// What a run needs beside the lock. Made before the lock is asked for: what the system refuses must
// show while there is nothing to give back.
struct Equipment {
  Equipment();

  Terminal terminal;
  std::unique_ptr<Shared, UnmapShared> shared;
  Link front_end;
  Link keeper_end;
  Alarm alarm;  // the front's
};

// Runs the command under the lock. Returns in both processes that this makes of the caller: each is
// to end so.
[[nodiscard]] Ending run_under_lock(const Options& options, const Identity& identity,
                                    const Requests& requests, const Descriptors& descriptors,
                                    Equipment& equipment, Api& api, Signals& signals,
                                    const Holding& holding);

}  // namespace distributex::client
