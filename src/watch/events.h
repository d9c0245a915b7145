// SPDX-License-Identifier: MIT
// The last things that happened to locks, kept in a ring: what /events/ shows,
// how one looks as JSON, and which of them a reader asks for. Pure; knows
// neither who tells nor who reads.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/log.h"
#include "lock/words.h"

namespace distributex {

// Each has a row in events.cpp.
enum class What {
  granted,
  released,
  expired,
  timeout,
  cancelled,    // the client left while it waited
  lost,         // a renewal came too late
  refused,      // invalid, or the server could not
  undelivered,  // a grant that its client did not get was given back
  busy,
  held,
  not_held,
  renewed,
  frozen,  // a pool, or all that a pattern matches
  thawed,
  evicted,  // an operator ended a lease
  rested,   // a slot stays closed for a while
  last      // no event
};

[[nodiscard]] std::string_view what_name(What what);
// Whether /events/ keeps it. Everyday answers are for the log only: those of
// clients that poll would drive out all other events.
[[nodiscard]] bool is_kept(What what);
// As what the audit trail logs it.
[[nodiscard]] Level level_of(What what);

// Views: whoever keeps an event copies it.
struct LockEvent {
  uint64_t seq = 0;      // given by the ring
  uint64_t wall_us = 0;  // microseconds since 1970
  What what = What::granted;
  std::string_view pool{};
  std::string_view host{};
  std::string_view id{};
  Token token = 0;                     // 0: none
  std::optional<Duration> waited{};    // granted, timeout, cancelled, busy
  std::optional<Duration> held{};      // released, expired, evicted
  std::string_view peer{};             // the client's address; empty: not known
  std::string_view door{};             // empty: the verbs' own
  std::string_view verb{};             // refused
  std::string_view error{};            // refused
  std::string_view reason{};           // frozen, thawed, evicted, rested
  std::string_view by{};               // who gave the order; else what the client has proven
  std::optional<Duration> lasts{};     // frozen, rested
  Outcome outcome = Outcome::unknown;  // released
  std::optional<uint8_t> status{};     // released
};

class EventRing;
// Whether an event that is still kept says that this id gave a lock of the pool back.
[[nodiscard]] bool was_released(const EventRing& ring, std::string_view pool, std::string_view id);

// One object in one line, without a newline; empty members are left out.
[[nodiscard]] std::string event_json(const LockEvent& event);

// Which events a reader wants.
struct EventFilter {
  std::optional<std::string> pool;
  std::optional<std::string> host;
  uint64_t after_seq = 0;
  uint64_t from_us = 0;  // the wall clock
  bool follow = false;
  std::function<bool(std::string_view pool)> may_look{};  // nullptr: at all of them

  [[nodiscard]] bool takes(const LockEvent& event) const;
};

class EventRing {
 public:
  // Sequence numbers begin with the wall clock's microseconds at the start,
  // and so go on rising from one life of the server to the next.
  EventRing(size_t capacity, uint64_t wall_us) : capacity_(capacity), next_seq_(wall_us) {}

  // Gives it its number.
  void add(const LockEvent& event);
  // Keeps the newest when there is room for fewer.
  void set_capacity(size_t capacity);
  // Oldest first, those with a greater number. The texts last for the visit.
  void each_after(uint64_t seq, const std::function<void(const LockEvent&)>& visit) const;
  [[nodiscard]] uint64_t last_seq() const { return next_seq_ - 1; }

 private:
  // An event whose texts stand one behind the other in a string of its own.
  struct Kept {
    LockEvent event;
    std::string texts;
  };
  static void keep(Kept& place, const LockEvent& event);
  [[nodiscard]] static LockEvent shown(const Kept& place);

  size_t capacity_;
  uint64_t next_seq_;
  size_t oldest_ = 0;  // where it is, once the ring is full
  std::vector<Kept> ring_;
};

}  // namespace distributex
