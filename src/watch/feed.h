// SPDX-License-Identifier: MIT
// /events/: the last events as an answer, or as a stream that goes on. Readers
// of a stream pull from the ring at their own place in it; one that is too slow
// is cut off. Knows the door and the ring, but no locks.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>

#include "base/handle.h"
#include "http/server.h"
#include "watch/events.h"

namespace distributex {

class Feed {
 public:
  // Borrows both.
  Feed(event_base* base, Http& http, const EventRing& ring);
  Feed(const Feed&) = delete;
  Feed& operator=(const Feed&) = delete;

  // Answers a request for /events/.
  void show(Ticket ticket, const PageRequest& request);
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
  void open(Ticket ticket, Reader reader);
  void send_due();

  Http& http_;
  const EventRing& ring_;
  Event events_;
  Event beat_;
  std::map<Ticket, Reader> readers_;
  uint64_t shown_seq_ = 0;  // up to here all readers have been served
  uint64_t dropped_ = 0;
  bool stopped_ = false;
};

}  // namespace distributex
