// SPDX-License-Identifier: MIT
// A full ring uses the string of the oldest event again: adding an event then needs no
// allocation, or few.
#include "watch/events.h"

#include <algorithm>
#include <array>

#include "base/json.h"

namespace distributex {

namespace {

struct Kind {
  What what;
  std::string_view name;
  bool is_kept;
  Level level;
};

// In the order of What.
constexpr std::array<Kind, static_cast<size_t>(What::last)> kinds = {{
    {What::granted, "granted", true, Level::info},
    {What::released, "released", true, Level::info},
    {What::expired, "expired", true, Level::info},
    {What::timeout, "timeout", true, Level::info},
    {What::cancelled, "cancelled", true, Level::info},
    {What::lost, "lost", true, Level::info},
    {What::refused, "refused", true, Level::info},
    {What::undelivered, "undelivered", true, Level::info},
    {What::busy, "busy", false, Level::info},
    {What::held, "held", false, Level::debug},
    {What::not_held, "not-held", false, Level::debug},
    {What::renewed, "renewed", false, Level::debug},
    {What::frozen, "frozen", true, Level::info},
    {What::thawed, "thawed", true, Level::info},
    {What::evicted, "evicted", true, Level::info},
    {What::rested, "rested", true, Level::info},
}};

constexpr bool kinds_stand_in_order() {
  for (size_t i = 0; i < kinds.size(); ++i) {
    if (static_cast<size_t>(kinds[i].what) != i || kinds[i].name.empty()) {
      return false;
    }
  }
  return true;
}
static_assert(kinds_stand_in_order());

const Kind& kind_of(What what) { return kinds[static_cast<size_t>(what)]; }

constexpr std::array<std::string_view LockEvent::*, 8> texts_of{
    &LockEvent::pool, &LockEvent::host,  &LockEvent::id,     &LockEvent::peer,
    &LockEvent::door, &LockEvent::error, &LockEvent::reason, &LockEvent::by};

}  // namespace

std::string_view what_name(What what) { return kind_of(what).name; }

bool is_kept(What what) { return kind_of(what).is_kept; }

Level level_of(What what) { return kind_of(what).level; }

std::string event_json(const LockEvent& event) {
  const Json json{json_object()};
  set_whole(json.get(), "seq", event.seq);
  set_seconds(json.get(), "time", std::chrono::microseconds{event.wall_us});
  set_text(json.get(), "event", what_name(event.what));
  set_text(json.get(), "pool", event.pool);
  set_text(json.get(), "host", event.host);
  set_text(json.get(), "id", event.id);
  if (event.token != 0) {
    set_whole(json.get(), "token", event.token);
  }
  if (event.waited) {
    set_seconds(json.get(), "waited", *event.waited);
  }
  if (event.held) {
    set_seconds(json.get(), "held", *event.held);
  }
  set_text(json.get(), "peer", event.peer);
  set_text(json.get(), "door", event.door);
  set_text(json.get(), "verb", event.verb);
  set_text(json.get(), "error", event.error);
  if (event.outcome != Outcome::unknown) {
    set_text(json.get(), "outcome", event.outcome == Outcome::ok ? "ok" : "failed");
  }
  if (event.status) {
    set_whole(json.get(), "status", *event.status);
  }
  set_text(json.get(), "reason", event.reason);
  set_text(json.get(), "by", event.by);
  if (event.lasts) {
    set_seconds(json.get(), "for", *event.lasts);
  }
  return json_line(json.get());
}

bool EventFilter::takes(const LockEvent& event) const {
  return event.seq > after_seq && event.wall_us >= from_us && (!pool || event.pool == *pool) &&
         (!host || event.host == *host) &&
         (!may_look || may_look(event.pool.empty() ? "*" : event.pool));
}

void EventRing::keep(Kept& place, const LockEvent& event) {
  place.texts.clear();
  for (const auto text : texts_of) {
    if (!(event.*text).empty()) {
      place.texts += event.*text;
    }
  }
  place.event = event;
}

// The views in place.event are dangling, but their lengths are right: with these lengths new
// views into place.texts are made.
LockEvent EventRing::shown(const Kept& place) {
  LockEvent event = place.event;
  std::string_view rest = place.texts;
  for (const auto text : texts_of) {
    const size_t size = (event.*text).size();
    event.*text = rest.substr(0, size);
    rest.remove_prefix(size);
  }
  return event;
}

void EventRing::add(const LockEvent& event) {
  const bool is_full = ring_.size() >= capacity_;
  Kept& place = is_full ? ring_[oldest_] : ring_.emplace_back();
  keep(place, event);
  place.event.seq = next_seq_++;
  if (is_full) {
    oldest_ = (oldest_ + 1) % ring_.size();
  }
}

void EventRing::set_capacity(size_t capacity) {
  if (capacity == capacity_) {
    return;
  }
  std::rotate(ring_.begin(), ring_.begin() + static_cast<std::ptrdiff_t>(oldest_), ring_.end());
  oldest_ = 0;
  capacity_ = capacity;
  if (ring_.size() > capacity) {
    ring_.erase(ring_.begin(), ring_.end() - static_cast<std::ptrdiff_t>(capacity));
  }
}

void EventRing::each_after(uint64_t seq, const std::function<void(const LockEvent&)>& visit) const {
  const uint64_t first = next_seq_ - ring_.size();
  const size_t skip = seq < first ? 0 : static_cast<size_t>(std::min(seq, last_seq()) - first + 1);
  for (size_t i = skip; i < ring_.size(); ++i) {
    visit(shown(ring_[(oldest_ + i) % ring_.size()]));
  }
}

bool was_released(const EventRing& ring, std::string_view pool, std::string_view id) {
  bool found = false;
  ring.each_after(0, [&](const LockEvent& event) {
    found = found || (event.what == What::released && event.pool == pool && event.id == id);
  });
  return found;
}

}  // namespace distributex
