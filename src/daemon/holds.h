// SPDX-License-Identifier: MIT
// Locks that live as long as connections: their streams have a sign of life every few
// seconds, their leases are renewed, and given back when the last connection of an owner
// ends. What becomes of renewals and releases the engine decides like any other's.
#pragma once

#include <chrono>
#include <functional>
#include <list>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>

#include "base/handle.h"
#include "doors/door.h"
#include "lock/words.h"

namespace distributex {

struct HoldSink {
  std::function<bool(Ticket, std::string_view bytes)> send;  // false: there is no such stream
  std::function<void(Ticket)> close;
  // A command of our own; its answer comes to answered().
  std::function<void(Ticket, Command)> submit;
};

class Holds {
 public:
  static constexpr std::chrono::seconds usual_beat{5};

  Holds(event_base* base, HoldSink sink, Duration beat = usual_beat);
  Holds(const Holds&) = delete;
  Holds& operator=(const Holds&) = delete;

  // The ticket's stream is open, and its client has read of this lease.
  void begin(Ticket ticket, const Answer& answer, Form form, Time now);
  // Of a ticket with is_own().
  void answered(Ticket ticket, const Answer& answer, Time now);
  // A stream's client has left; other tickets do no harm.
  void gone(Ticket ticket);
  // The lease is over, whoever ended it; others do no harm.
  void ended(std::string_view pool, const Owner& owner, Token token, std::string_view why);
  // Ends the streams of pools that are not there any more.
  void keep_only(const std::function<bool(std::string_view pool)>& exists);
  // Ends the streams of locks that some client of theirs may not have any more; the
  // leases run out.
  void end_refused(const std::function<std::optional<std::string>(Ticket, const std::string& pool,
                                                                  const Owner& owner)>& why_not);
  // Ends all streams and renews nothing any more: leases outlive them by their rest.
  void stop();

  [[nodiscard]] size_t streams() const { return streams_.size(); }

 private:
  using Key = std::pair<std::string, Owner>;  // the pool's name, and whose lock it is
  struct Lock {
    const Key* key = nullptr;
    Token token = 0;
    std::set<Ticket> streams;
    std::optional<Duration> length;  // of its lease; nothing: not known, or it never ends
    std::optional<Time> ends;        // by our own reckoning, which is not later than it is
    std::optional<Time> renew_at;    // nothing: never, or the answer is on its way
    Ticket asked = 0;                // the renewal on its way
    Time asked_at{};
  };
  using Beats = std::list<std::pair<Time, Ticket>>;
  struct Stream {
    Lock* lock = nullptr;
    Form form = 0;
    Beats::iterator beat;
  };

  static void on_tick(int, short, void* self) noexcept;
  void tick(Time now);
  void arm();
  void beat_due(Time now);
  void renew(Lock& lock, Time now);
  void schedule(Lock& lock, std::optional<Time> at);
  void renewed(Lock& lock, const Answer& answer);
  void lose(Lock& lock, std::string_view why);
  void forget(Lock& lock);
  void end_stream(Ticket ticket, std::string_view why);

  HoldSink sink_;
  Duration beat_;
  Event tick_;
  bool ticks_ = false;
  std::map<Key, Lock> locks_;
  std::map<Ticket, Stream> streams_;
  Beats beats_;                                // in the order of their times
  std::map<Ticket, Lock*> asked_;              // renewals on their way
  std::set<std::pair<Time, Lock*>> renewals_;  // by the time when they are due
  Ticket last_ticket_ = 0;
};

}  // namespace distributex
