// SPDX-License-Identifier: MIT
#include "http/mixup.h"

#include "base/log.h"

namespace distributex {

namespace {

constexpr auto pause = std::chrono::minutes{1};

}  // namespace

void MixUp::seen(std::string_view peer, Time now) {
  ++count_;
  if (logged_at_ && now - *logged_at_ < pause) {
    return;
  }
  logged_at_ = now;
  log_line(Level::warning, "tls on a plain address peer=%.*s count=%llu",
           static_cast<int>(peer.size()), peer.data(), static_cast<unsigned long long>(count_));
  count_ = 0;
}

}  // namespace distributex
