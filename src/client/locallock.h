// SPDX-License-Identifier: MIT
//
// The lock on this host alone (-l): flock on a file that no other user can open or replace. It is
// taken before the network lock and held by our own processes only, so that even a server that
// forgot everything lets no two runs overlap here.
#pragma once

#include "client/options.h"
#include "client/signals.h"

#include <optional>
#include <string>
#include <variant>

namespace distributex::client {

// The file for this pool of these servers and this user.
[[nodiscard]] std::string local_lock_path(const std::vector<Server>& servers,
                                          const std::string& pool);

class LocalLock {
 public:
  LocalLock() = default;
  ~LocalLock();
  LocalLock(LocalLock&& other) noexcept;
  LocalLock& operator=(LocalLock&& other) noexcept;

  // Waits as the options say, from `begun` on. A lock, or the exit code; what needs saying has been
  // said.
  [[nodiscard]] static std::variant<LocalLock, int> take(const Options& options, Signals& signals,
                                                         Moment begun);

 private:
  explicit LocalLock(int fd) : fd_(fd) {}

  int fd_ = -1;
};

}  // namespace distributex::client
