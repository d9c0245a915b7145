// SPDX-License-Identifier: MIT
// The readers that follow the events. Each gets the events that pass its filter; a reader
// that is too slow is cut off. FeedSink sends the bytes.
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

// Appends one event in the form of a stream: a server-sent event, or a line.
void append_event(std::string& text, bool sse, const LockEvent& event, const std::string& json);

struct FeedSink {
  std::function<bool(Ticket, std::string_view bytes)> send;  // false: there is no such stream
  std::function<void(Ticket)> close;
};

class Feed {
 public:
  static constexpr std::chrono::seconds usual_beat{15};

  // Borrows the ring. Once a beat every stream gets a comment or an empty line.
  Feed(event_base* base, const EventRing& ring, FeedSink sink, Duration beat = usual_beat);
  Feed(const Feed&) = delete;
  Feed& operator=(const Feed&) = delete;

  // Why no further reader can follow; nullptr: one can.
  [[nodiscard]] const char* full() const;
  // Sends later events to the ticket's stream, which must be open.
  void follow(Ticket ticket, EventFilter filter, bool sse);
  // The client of a stream has left. A ticket without a stream is ignored.
  void gone(Ticket ticket) { readers_.erase(ticket); }
  // The ring may have new events: they are sent some milliseconds later.
  void wake();
  // Ends all streams; no stream can begin afterwards.
  void stop();

  [[nodiscard]] size_t streams() const { return readers_.size(); }
  [[nodiscard]] uint64_t dropped() const { return dropped_; }

 private:
  struct Reader {
    EventFilter filter;  // after_seq: the last event before the reader came
    bool sse = false;    // false: lines
    std::string due;     // text that is about to be sent
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
  uint64_t shown_seq_ = 0;  // the last event that was sent to the readers
  uint64_t dropped_ = 0;
  bool stopped_ = false;
};

}  // namespace distributex
