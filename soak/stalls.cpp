// SPDX-License-Identifier: MIT
// memcached has half a second to answer: a stall of a fifth of that counts.
#include "stalls.h"

#include <algorithm>

namespace distributex::soak {

namespace {

constexpr milliseconds nap{20};
constexpr milliseconds too_long{100};

}  // namespace

Stalls::~Stalls() {
  stopping_ = true;
  thread_.join();
}

void Stalls::watch() {
  while (!stopping_) {
    const auto before = Clock::now();
    std::this_thread::sleep_for(nap);
    const auto late = std::chrono::duration_cast<milliseconds>(Clock::now() - before - nap);
    longest_ = std::max(longest_.load(), late);
    if (late < too_long) {
      continue;
    }
    ++count_;
    for (const auto& service : world_.services) {
      if (service->kind() == Kind::shared) {
        service->trouble().note();
      }
    }
  }
}

}  // namespace distributex::soak
