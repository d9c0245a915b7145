// SPDX-License-Identifier: MIT
//
// Giving a lock back: the release, retried until a moment that the caller sets. Used when the
// command has ended, when waiting is given up (a grant may be under way to the client), and when
// the front cleans up after a keeper that was killed.
#pragma once

#include <string>

#include "client/clock.h"
#include "client/holding.h"
#include "client/link.h"
#include "client/signals.h"

namespace distributex::client {

struct GivenBack {
  bool delivered = false;
  bool was_lost = false;  // the first answer was that the client did not hold the lock any more
  std::string trouble;    // when not delivered
};

// Whose signals say that somebody wants the client to end at once.
struct Hurry {
  Signals& signals;
  Alarm& alarm;  // the caller's: a new one might be refused while there is a lock to give back
  Link* link;    // the signals are noted here by the front; nullptr: they come from `signals`
  Patience& patience;  // has counted what came before
};

// Blocks until a server has answered, `until` has come, or the patience is over.
[[nodiscard]] GivenBack give_back(Api& api, const Requests& requests, const Hurry& hurry,
                                  const Options& options, const Holding& holding, Moment until);

}  // namespace distributex::client
