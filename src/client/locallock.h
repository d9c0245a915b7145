// SPDX-License-Identifier: MIT
//
// The lock on this host alone (-l): flock on a file that no other user can write or replace. It is
// taken before the network lock and held by the client's own processes only, so no two runs overlap
// here even when the server has forgotten all locks.
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

  // Waits as the options say, from `begun` on. A lock, or how the client is to end; why has been
  // said then.
  [[nodiscard]] static std::variant<LocalLock, Ending> take(const Options& options,
                                                            Signals& signals, Moment begun);

 private:
  explicit LocalLock(Fd fd) : fd_(std::move(fd)) {}

  Fd fd_;
};

}  // namespace distributex::client
