// SPDX-License-Identifier: MIT
//
// The lock on this host (-l): flock on a file that no other user can write or replace. The client
// takes it before the network lock, and only the client's processes hold it, so no two runs overlap
// on this host even if the server has forgotten all locks.
#pragma once

#include <optional>
#include <string>
#include <variant>

#include "client/options.h"
#include "client/signals.h"

namespace distributex::client {

// The name of the file for this pool of these servers and this user, without its folder.
[[nodiscard]] std::string local_lock_name(const std::vector<Server>& servers,
                                          const std::string& pool);

class LocalLock {
 public:
  LocalLock() = default;

  // Waits as the options say, counted from `begun`. Returns a lock, or how the client must end;
  // then it has told the user why.
  [[nodiscard]] static std::variant<LocalLock, Ending> take(const Options& options,
                                                            Signals& signals, Moment begun);

 private:
  explicit LocalLock(Fd fd) : fd_(std::move(fd)) {}

  Fd fd_;
};

}  // namespace distributex::client
