// SPDX-License-Identifier: MIT
//
// The front: the process that the user started, while a command runs. Signals, job control and the
// exit code pass through it. If the keeper dies or hangs, the front ends everything before the
// lease ends, and gives the lock back. Until then it speaks no HTTP.
#pragma once

#include <memory>

#include "client/keeper.h"

namespace distributex::client {

// What a run needs beside the lock. It is made before the client asks for the lock, so that it
// fails, if the system refuses something, while there is no lock to give back.
struct Equipment {
  Equipment();

  Terminal terminal;
  std::unique_ptr<Shared, UnmapShared> shared;
  Link front_end;
  Link keeper_end;
  Alarm alarm;  // for the front
};

// Runs the command under the lock. Forks, and returns in both processes: each must end as the
// result says.
[[nodiscard]] Ending run_under_lock(const Options& options, const Identity& identity,
                                    const Requests& requests, const Descriptors& descriptors,
                                    Equipment& equipment, Api& api, Signals& signals,
                                    const Holding& holding);

}  // namespace distributex::client
