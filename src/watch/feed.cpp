// SPDX-License-Identifier: MIT
// Events gather for a moment before they are sent, so that a busy server makes
// one text of each and one write for each reader. Whoever falls behind by more
// than the ring holds misses some, and sees it from the numbers.
#include "watch/feed.h"

#include <utility>

#include "base/log.h"

namespace distributex {

namespace {

constexpr size_t most_readers = 100;
constexpr timeval gather{.tv_sec = 0, .tv_usec = 20'000};
constexpr timeval beat_interval{.tv_sec = 15, .tv_usec = 0};
constexpr std::string_view sse_opening = "retry: 1000\n\n";

Reply page_of(const char* content_type, std::string body) {
  Reply reply;
  reply.content_type = content_type;
  reply.headers = {{"Cache-Control", "no-store"}};
  reply.body = std::move(body);
  return reply;
}

Reply refusal(int status, const char* error) {
  Reply reply = page_of("text/plain; charset=utf-8", error);
  reply.status = status;
  reply.reason = status_reason(status);
  if (status == 503) reply.headers.push_back({"Retry-After", "5"});
  return reply;
}

const char* type_of(bool sse) {
  return sse ? "text/event-stream; charset=utf-8" : "application/x-ndjson; charset=utf-8";
}

void append(std::string& text, bool sse, const LockEvent& event, const std::string& json) {
  if (sse)
    text.append("id: ")
        .append(std::to_string(event.seq))
        .append("\nevent: ")
        .append(what_name(event.what))
        .append("\ndata: ");
  text.append(json).append(sse ? "\n\n" : "\n");
}

}  // namespace

Feed::Feed(event_base* base, Http& http, const EventRing& ring)
    : http_(http),
      ring_(ring),
      events_(evtimer_new(base, on_events, this)),
      beat_(event_new(base, -1, EV_PERSIST, on_beat, this)) {}

void Feed::show(Ticket ticket, const PageRequest& request) {
  std::optional<EventFilter> filter = read_event_filter(request.query, request.last_event_id);
  if (!filter) return http_.send(ticket, refusal(400, "since is no number\n"));
  // A number of a server that this one is not: whoever asks has seen nothing.
  if (filter->after_seq > ring_.last_seq()) filter->after_seq = 0;
  Reader reader{.filter = std::move(*filter), .sse = request.event_stream, .due = {}};
  const bool follow = reader.filter.follow || reader.sse;
  if (follow && request.method == PageMethod::get) return open(ticket, std::move(reader));
  std::string body;
  ring_.each_after(reader.filter.after_seq, [&](const LockEvent& event) {
    if (reader.filter.takes(event)) append(body, false, event, event_json(event));
  });
  http_.send(ticket,
             page_of(type_of(follow && reader.sse), follow ? std::string{} : std::move(body)));
}

void Feed::open(Ticket ticket, Reader reader) {
  if (stopped_ || readers_.size() >= most_readers)
    return http_.send(ticket, refusal(503, stopped_ ? "the server is shutting down\n"
                                                    : "too many readers follow the events\n"));
  std::string opening{reader.sse ? sse_opening : std::string_view{}};
  ring_.each_after(reader.filter.after_seq, [&](const LockEvent& event) {
    if (reader.filter.takes(event)) append(opening, reader.sse, event, event_json(event));
  });
  reader.filter.after_seq = ring_.last_seq();
  if (readers_.empty()) {
    shown_seq_ = ring_.last_seq();
    event_add(beat_.get(), &beat_interval);
  }
  if (!http_.open_stream(ticket, page_of(type_of(reader.sse), std::move(opening)))) return;
  readers_.emplace(ticket, std::move(reader));
}

void Feed::wake() {
  if (readers_.empty() || shown_seq_ == ring_.last_seq()) return;
  if (!evtimer_pending(events_.get(), nullptr)) evtimer_add(events_.get(), &gather);
}

void Feed::on_events(int, short, void* self) noexcept { static_cast<Feed*>(self)->send_events(); }

void Feed::send_events() {
  if (readers_.empty()) return;
  ring_.each_after(shown_seq_, [&](const LockEvent& event) {
    const std::string json = event_json(event);
    for (auto& [ticket, reader] : readers_)
      if (reader.filter.takes(event)) append(reader.due, reader.sse, event, json);
  });
  shown_seq_ = ring_.last_seq();
  send_due();
}

// A sign of life, so that neither end nor what is between takes silence for
// death: a comment, or an empty line.
void Feed::on_beat(int, short, void* self) noexcept {
  Feed& feed = *static_cast<Feed*>(self);
  if (feed.readers_.empty()) {
    event_del(feed.beat_.get());
    return;
  }
  for (auto& [ticket, reader] : feed.readers_) reader.due += reader.sse ? ":\n\n" : "\n";
  feed.send_due();
}

// Sending may end a reader, which comes back as gone().
void Feed::send_due() {
  for (auto it = readers_.begin(); it != readers_.end();) {
    const Ticket ticket = it->first;
    const std::string bytes = std::exchange(it->second.due, {});
    ++it;
    if (bytes.empty() || http_.stream(ticket, bytes)) continue;
    ++dropped_;
    log_line(Level::warning, "event stream dropped: its reader is too slow");
  }
}

void Feed::stop() {
  stopped_ = true;
  send_events();
  for (const auto& [ticket, reader] : std::exchange(readers_, {})) http_.close_stream(ticket);
}

}  // namespace distributex
