// SPDX-License-Identifier: MIT
//
// Gives a lock back: sends the release, and repeats it until a moment that the caller sets. Used
// when the command has ended, when the client stops waiting (a grant may be under way), and when
// the keeper was killed.
#pragma once

#include <string>

#include "client/clock.h"
#include "client/holding.h"
#include "client/link.h"
#include "client/signals.h"

namespace distributex::client {

struct GivenBack {
  bool delivered = false;
  bool was_lost = false;  // the first answer said that the client no longer held the lock
  std::string trouble;    // why it was not delivered
};

// Where the signals come from that ask the client to end at once.
struct Hurry {
  Signals& signals;
  Alarm& alarm;  // the caller's, for the system might refuse a new one
  Link* link;    // the keeper's: the front sends signals as notes; nullptr: they are in `signals`
  Patience& patience;  // has counted the earlier signals
};

// Blocks until a server has answered, `until` has come, or the patience is over.
[[nodiscard]] GivenBack give_back(Api& api, const Requests& requests, const Hurry& hurry,
                                  const Options& options, const Holding& holding, Moment until);

}  // namespace distributex::client
