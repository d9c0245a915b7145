// SPDX-License-Identifier: MIT
//
// Giving a lock back: the release, retried until a moment that the caller sets. Used when the
// command has ended, when waiting is given up (a grant may be on its way to us), and when one of
// our processes cleans up after the other.
#pragma once

#include "client/holding.h"
#include "client/link.h"
#include "client/signals.h"

#include <string>

namespace distributex::client {

struct GivenBack {
  bool delivered = false;
  bool was_lost = false;  // the server's first word was that we did not hold it any more
  std::string trouble;    // when not delivered
};

// Blocks until a server has answered, `until` has come, or a signal (also one noted on `link`, if
// any) says that whoever asked for this has no more patience.
[[nodiscard]] GivenBack give_back(Api& api, const Requests& requests, Signals& signals, Link* link,
                                  const Options& options, const Holding& holding, Moment until);

}  // namespace distributex::client
