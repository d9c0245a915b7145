// SPDX-License-Identifier: MIT
// The last events of locks, kept in a ring for /events/; an event as JSON; and the filter of
// a reader. Pure; knows neither the source of events nor their readers.
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
  refused,      // the answer was invalid or unavailable
  undelivered,  // the client did not get its grant, and the lease was given back
  busy,
  held,
  not_held,
  renewed,
  frozen,  // a pool, or all pools that a pattern matches
  thawed,
  evicted,  // an operator ended a lease
  rested,   // a slot stays closed for a while
  last      // no event
};

[[nodiscard]] std::string_view what_name(What what);
// Whether the ring keeps such an event. Others are only logged: a client that polls would
// fill the ring with them.
[[nodiscard]] bool is_kept(What what);
// The level at which the audit trail logs it.
[[nodiscard]] Level level_of(What what);

// The texts are views: code that keeps an event must copy them.
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
  std::string_view door{};             // empty: the plain door
  std::string_view verb{};             // refused
  std::string_view error{};            // refused
  std::string_view reason{};           // frozen, thawed, evicted, rested
  std::string_view by{};               // the operator; without an order what the client has proven
  std::optional<Duration> lasts{};     // frozen, rested
  Outcome outcome = Outcome::unknown;  // released
  std::optional<uint8_t> status{};     // released
};

class EventRing;
// Whether an event in the ring says that this id has released a lock of the pool.
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
  std::function<bool(std::string_view pool)> may_look{};  // nullptr: at all pools

  [[nodiscard]] bool takes(const LockEvent& event) const;
};

class EventRing {
 public:
  // Sequence numbers begin with the microseconds of the wall clock at the start of the
  // server: so they rise also over a restart.
  EventRing(size_t capacity, uint64_t wall_us) : capacity_(capacity), next_seq_(wall_us) {}

  // Adds a copy of the event, with the next sequence number.
  void add(const LockEvent& event);
  // A smaller capacity keeps the newest events.
  void set_capacity(size_t capacity);
  // Visits the events with a number greater than seq, the oldest first. The texts are valid
  // during the visit.
  void each_after(uint64_t seq, const std::function<void(const LockEvent&)>& visit) const;
  [[nodiscard]] uint64_t last_seq() const { return next_seq_ - 1; }

 private:
  // `texts` has the texts of the event, one behind the other.
  struct Kept {
    LockEvent event;
    std::string texts;
  };
  static void keep(Kept& place, const LockEvent& event);
  [[nodiscard]] static LockEvent shown(const Kept& place);

  size_t capacity_;
  uint64_t next_seq_;
  size_t oldest_ = 0;  // the index of the oldest event
  std::vector<Kept> ring_;
};

}  // namespace distributex
