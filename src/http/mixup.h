// SPDX-License-Identifier: MIT
// Clients that speak TLS to a plain address: a scheme is wrong in some configuration,
// and the server's log is where somebody looks.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "base/time.h"

namespace distributex {

class MixUp {
 public:
  // One line a minute at most, with the last peer and how many there were.
  void seen(std::string_view peer, Time now);

 private:
  uint64_t count_ = 0;
  std::optional<Time> logged_at_{};
};

}  // namespace distributex
