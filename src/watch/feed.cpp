// SPDX-License-Identifier: MIT
// Events gather for a moment before they are sent: so a busy server formats each event once,
// and writes once for each reader. If more events come in that moment than the ring holds,
// readers miss some; the gap in the sequence numbers shows it.
#include "watch/feed.h"

#include <utility>

#include "base/log.h"

namespace distributex {

namespace {

constexpr size_t most_readers = 100;
constexpr timeval gather{.tv_sec = 0, .tv_usec = 20'000};

}  // namespace

void append_event(std::string& text, bool sse, const LockEvent& event, const std::string& json) {
  if (sse) {
    text.append("id: ")
        .append(std::to_string(event.seq))
        .append("\nevent: ")
        .append(what_name(event.what))
        .append("\ndata: ");
  }
  text.append(json).append(sse ? "\n\n" : "\n");
}

Feed::Feed(event_base* base, const EventRing& ring, FeedSink sink, Duration beat)
    : ring_(ring),
      sink_(std::move(sink)),
      events_(evtimer_new(base, on_events, this)),
      beat_(event_new(base, -1, EV_PERSIST, on_beat, this)),
      beat_interval_(to_timeval(beat)) {}

const char* Feed::full() const {
  if (stopped_) {
    return "the server is shutting down";
  }
  return readers_.size() >= most_readers ? "too many readers follow the events" : nullptr;
}

void Feed::follow(Ticket ticket, EventFilter filter, bool sse) {
  if (readers_.empty()) {
    shown_seq_ = ring_.last_seq();
    event_add(beat_.get(), &beat_interval_);
  }
  filter.after_seq = ring_.last_seq();
  readers_.emplace(ticket, Reader{.filter = std::move(filter), .sse = sse, .due = {}});
}

void Feed::wake() {
  if (readers_.empty() || shown_seq_ == ring_.last_seq()) {
    return;
  }
  if (!evtimer_pending(events_.get(), nullptr)) {
    evtimer_add(events_.get(), &gather);
  }
}

void Feed::on_events(int, short, void* self) noexcept { static_cast<Feed*>(self)->send_events(); }

void Feed::send_events() {
  if (readers_.empty()) {
    return;
  }
  ring_.each_after(shown_seq_, [&](const LockEvent& event) {
    const std::string json = event_json(event);
    for (auto& [ticket, reader] : readers_) {
      if (reader.filter.takes(event)) {
        append_event(reader.due, reader.sse, event, json);
      }
    }
  });
  shown_seq_ = ring_.last_seq();
  send_due();
}

// Sends each reader a comment or an empty line, so that neither the reader nor a proxy takes
// a silent stream for a dead one.
void Feed::on_beat(int, short, void* self) noexcept {
  Feed& feed = *static_cast<Feed*>(self);
  if (feed.readers_.empty()) {
    event_del(feed.beat_.get());
    return;
  }
  for (auto& [ticket, reader] : feed.readers_) {
    reader.due += reader.sse ? ":\n\n" : "\n";
  }
  feed.send_due();
}

// sink_.send() may cut a reader off, and that calls gone(), which erases the reader: so the
// iterator is advanced before.
void Feed::send_due() {
  for (auto it = readers_.begin(); it != readers_.end();) {
    const Ticket ticket = it->first;
    const std::string bytes = std::exchange(it->second.due, {});
    ++it;
    if (bytes.empty() || sink_.send(ticket, bytes)) {
      continue;
    }
    ++dropped_;
    log_line(Level::warning, "event stream dropped: its reader is too slow");
  }
}

void Feed::stop() {
  stopped_ = true;
  send_events();
  for (const auto& [ticket, reader] : std::exchange(readers_, {})) {
    sink_.close(ticket);
  }
}

}  // namespace distributex
