// SPDX-License-Identifier: MIT
// Ends the server in steps: answers all who wait, waits a bounded time for what is in
// flight, then ends the loop. Knows the loop; the caller gives the functions of the steps.
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
    std::function<bool()> is_done;         // whether nothing is in flight any more
  };

  Shutdown(event_base* base, Steps steps);
  Shutdown(const Shutdown&) = delete;
  Shutdown& operator=(const Shutdown&) = delete;

  // If a successor listens on the same sockets, leaves clients that were not accepted yet to
  // the successor.
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
