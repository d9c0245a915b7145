// SPDX-License-Identifier: MIT
// Without a successor, all are answered at once and the first step comes after a pass of the
// loop, in which clients that have connected are still accepted and answered. With a
// successor, listening ends at once, and clients that were accepted have a moment to send
// their request before all are answered.
#include "daemon/shutdown.h"

#include <chrono>
#include <utility>

#include "base/clock.h"

namespace distributex {

namespace {

using std::chrono::milliseconds;

constexpr auto longest_stop = std::chrono::seconds{5};
constexpr auto interval = milliseconds{5};
constexpr auto last_words = milliseconds{100};

}  // namespace

Shutdown::Shutdown(event_base* base, Steps steps)
    : base_(base), steps_(std::move(steps)), timer_(evtimer_new(base, on_step, this)) {}

void Shutdown::begin(bool successor_listens) {
  stop_by_ = steady_now() + longest_stop;
  successor_listens_ = successor_listens;
  if (successor_listens) {
    steps_.stop_listening();
  } else {
    steps_.drain();
  }
  arm(successor_listens ? last_words : interval);
}

void Shutdown::end_at_once() { event_base_loopbreak(base_); }

void Shutdown::on_step(int, short, void* self) noexcept { static_cast<Shutdown*>(self)->step(); }

void Shutdown::step() {
  steps_.stop_listening();
  if (successor_listens_) {
    steps_.drain();
  }
  if (steps_.is_done() || steady_now() >= *stop_by_) {
    event_base_loopexit(base_, nullptr);
  } else {
    arm(interval);
  }
}

void Shutdown::arm(Duration delay) {
  const timeval after = to_timeval(delay);
  evtimer_add(timer_.get(), &after);
}

}  // namespace distributex
