// SPDX-License-Identifier: MIT
// An event loop that a test drives until a condition holds.
#pragma once

#include <functional>

#include "base/clock.h"
#include "base/handle.h"
#include "support/daemon.h"

namespace distributex::test {

class Loop {
 public:
  [[nodiscard]] event_base* base() const { return base_.get(); }

  // False after patience.
  [[nodiscard]] bool until(const std::function<bool()>& so) {
    const Time deadline = steady_now() + patience;
    while (!so()) {
      if (steady_now() >= deadline) {
        return false;
      }
      const timeval look_again{0, 20'000};
      event_base_loopexit(base_.get(), &look_again);
      event_base_loop(base_.get(), EVLOOP_ONCE);
    }
    return true;
  }

 private:
  EventBase base_{event_base_new()};
};

}  // namespace distributex::test
