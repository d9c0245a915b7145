// SPDX-License-Identifier: MIT
// The end of the server in steps: everybody who waits is answered, what is in
// flight is awaited for a bounded time, then the loop ends. Knows the loop; what
// the steps do is given to it.
#pragma once

#include <functional>
#include <optional>

#include "base/handle.h"
#include "base/time.h"

namespace distributex {

class Shutdown {
 public:
  struct Steps {
    std::function<void()> stop_listening;  // may be called more than once
    std::function<void()> drain;           // answers all who wait; may be called more than once
    std::function<bool()> is_done;         // nothing is in flight any more
  };

  Shutdown(event_base* base, Steps steps);
  Shutdown(const Shutdown&) = delete;
  Shutdown& operator=(const Shutdown&) = delete;

  // Where a successor listens on the same sockets, clients that have not been
  // accepted yet are left to it.
  void begin(bool successor_listens);
  // Ends the loop now, whatever is in flight.
  void end_at_once();
  [[nodiscard]] bool under_way() const { return stop_by_.has_value(); }

 private:
  static void on_step(int, short, void* self) noexcept;
  void step();
  void arm(Duration delay);

  event_base* base_;
  Steps steps_;
  Event timer_;
  std::optional<Time> stop_by_;
  bool successor_listens_ = false;
};

}  // namespace distributex
