// SPDX-License-Identifier: MIT
// Logs that clients speak TLS to a plain address: the client's configuration has https://
// where it needs http://, and whoever looks for the mistake reads the server's log.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "base/time.h"

namespace distributex {

class MixUp {
 public:
  // Writes at most one line a minute, with this peer and the number since the last line.
  void seen(std::string_view peer, Time now);

 private:
  uint64_t count_ = 0;
  std::optional<Time> logged_at_{};
};

}  // namespace distributex
