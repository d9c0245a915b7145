// SPDX-License-Identifier: MIT
// /events/: answers with the last events, or opens a stream with them.
#include "doors/pages/events.h"

#include <charconv>

#include "base/text.h"
#include "doors/pages/rows.h"
#include "doors/query.h"
#include "watch/feed.h"

namespace distributex {

namespace {

constexpr std::string_view sse_opening = "retry: 1000\n\n";

// Sequence numbers are microseconds since 1970 at their start: far above any seconds.
constexpr uint64_t least_seq = 100'000'000'000;

// The first event that a reader wants.
struct Start {
  uint64_t after_seq = 0;
  uint64_t from_us = 0;
};

// Reads a sequence number or seconds since 1970. The size tells which of the two it is.
std::optional<Start> read_since(std::string_view text) {
  double seconds = 0;
  const char* end = text.data() + text.size();
  const auto read = std::from_chars(text.data(), end, seconds, std::chars_format::fixed);
  if (read.ec != std::errc{} || read.ptr != end || !(seconds >= 0)) {
    return std::nullopt;
  }
  if (seconds < static_cast<double>(least_seq)) {
    return Start{.from_us = static_cast<uint64_t>(seconds * 1e6)};
  }
  const auto seq = parse_whole(text);
  return seq ? std::optional{Start{.after_seq = *seq}} : std::nullopt;
}

const char* type_of(bool sse) {
  return sse ? "text/event-stream; charset=utf-8" : "application/x-ndjson; charset=utf-8";
}

std::string past_events(const EventRing& ring, const EventFilter& filter, bool sse) {
  std::string text;
  ring.each_after(filter.after_seq, [&](const LockEvent& event) {
    if (filter.takes(event)) {
      append_event(text, sse, event, event_json(event));
    }
  });
  return text;
}

}  // namespace

std::variant<EventFilter, Complaint> read_event_filter(std::string_view query,
                                                       std::string_view last_event_id) {
  PageQuery wanted{query};
  EventFilter filter;
  filter.pool = wanted.text("pool");
  filter.host = wanted.text("host");
  if (const auto follow = wanted.text("follow")) {
    filter.follow = *follow == "1";
    if (*follow != "0" && *follow != "1") {
      wanted.refuse("follow", "is neither 0 nor 1");
    }
  }
  auto start = read_since(last_event_id);
  if (const auto since = wanted.text("since")) {
    const auto asked = read_since(*since);
    if (!asked) {
      wanted.refuse("since", "is neither the number of an event nor seconds since 1970");
    }
    if (!start) {
      start = asked;
    }
  }
  if (!wanted.complaint().empty()) {
    return wanted.complaint();
  }
  if (start) {
    filter.after_seq = start->after_seq;
  }
  if (start) {
    filter.from_us = start->from_us;
  }
  return filter;
}

Shown show_events(const PageRequest& request, const PageView& view) {
  auto read = read_event_filter(request.query, request.last_event_id);
  if (const auto* complaint = std::get_if<Complaint>(&read)) {
    return page_of_text(400, *complaint + "\n");
  }
  auto& filter = std::get<EventFilter>(read);
  filter.may_look = view.may_look;
  // The reader has the number from another server: it has seen no event of this one.
  if (filter.after_seq > view.events.last_seq()) {
    filter.after_seq = 0;
  }
  const bool sse = accepts(request.accept, "text/event-stream");
  const bool follow = filter.follow || sse;
  HttpReply reply = page_of_text(200, {});
  reply.content_type = type_of(follow && sse);
  if (!follow) {
    reply.body = past_events(view.events, filter, false);
    return reply;
  }
  if (request.method != HttpMethod::get) {
    return reply;
  }
  if (view.no_followers) {
    HttpReply refusal = page_of_text(503, std::string(view.no_followers) + "\n");
    refusal.headers.add("Retry-After", "5");
    return refusal;
  }
  if (sse) {
    reply.body = sse_opening;
  }
  reply.body += past_events(view.events, filter, sse);
  return Follow{.opening = std::move(reply), .filter = std::move(filter), .sse = sse};
}

}  // namespace distributex
