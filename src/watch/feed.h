// SPDX-License-Identifier: MIT
// Those who follow the events: each gets what passes its filter, at its own place
// in the ring; one that is too slow is cut off. Where the bytes go is the sink's.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <string_view>

#include "base/handle.h"
#include "lock/words.h"
#include "watch/events.h"

namespace distributex {

// One event as a stream has it: as a server-sent event, or as a line.
void append_event(std::string& text, bool sse, const LockEvent& event, const std::string& json);

struct FeedSink {
  std::function<bool(Ticket, std::string_view bytes)> send;  // false: there is no such stream
  std::function<void(Ticket)> close;
};

class Feed {
 public:
  static constexpr std::chrono::seconds usual_beat{15};

  // Borrows the ring. A stream that is silent has a sign of life once a beat.
  Feed(event_base* base, const EventRing& ring, FeedSink sink, Duration beat = usual_beat);
  Feed(const Feed&) = delete;
  Feed& operator=(const Feed&) = delete;

  // Why nobody can begin to follow; nullptr: one more can.
  [[nodiscard]] const char* full() const;
  // From now on the ticket's stream, which is open, has what comes.
  void follow(Ticket ticket, EventFilter filter, bool sse);
  // A stream's client has left; other tickets do no harm.
  void gone(Ticket ticket) { readers_.erase(ticket); }
  // Something may have happened: it goes out a few milliseconds later.
  void wake();
  // Ends all streams, and lets none begin.
  void stop();

  [[nodiscard]] size_t streams() const { return readers_.size(); }
  [[nodiscard]] uint64_t dropped() const { return dropped_; }

 private:
  struct Reader {
    EventFilter filter;  // after_seq is its place in the ring
    bool sse = false;    // else lines
    std::string due;     // text of events about to be sent
  };
  static void on_events(int, short, void* self) noexcept;
  static void on_beat(int, short, void* self) noexcept;

  void send_events();
  void send_due();

  const EventRing& ring_;
  FeedSink sink_;
  Event events_;
  Event beat_;
  timeval beat_interval_;
  std::map<Ticket, Reader> readers_;
  uint64_t shown_seq_ = 0;  // up to here all readers have been served
  uint64_t dropped_ = 0;
  bool stopped_ = false;
};

}  // namespace distributex
