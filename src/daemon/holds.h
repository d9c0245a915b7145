// SPDX-License-Identifier: MIT
// Locks that last as long as their connections. Holds sends a sign of life to each stream
// every few seconds, renews the leases, and gives a lease back when the last connection of
// its owner ends. It submits renewals and releases to the engine as commands of its own.
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
  // Submits a command of Holds; its answer comes to answered().
  std::function<void(Ticket, Command)> submit;
};

class Holds {
 public:
  static constexpr std::chrono::seconds usual_beat{5};

  Holds(event_base* base, HoldSink sink, Duration beat = usual_beat);
  Holds(const Holds&) = delete;
  Holds& operator=(const Holds&) = delete;

  // The ticket's stream is open, and its client was told of this lease.
  void begin(Ticket ticket, const Answer& answer, Form form, Time now);
  // The answer to a command of Holds: is_own(ticket).
  void answered(Ticket ticket, const Answer& answer, Time now);
  // A stream's client has left; ignores tickets that have no stream here.
  void gone(Ticket ticket);
  // The lease has ended, whoever ended it; ignores leases without a stream here.
  void ended(std::string_view pool, const Owner& owner, Token token, std::string_view why);
  // Ends the streams of pools that do not exist any more.
  void keep_only(const std::function<bool(std::string_view pool)>& exists);
  // Ends all streams of a lock if one of its clients is no longer allowed the lock; the lease
  // is not renewed and ends by time.
  void end_refused(const std::function<std::optional<std::string>(Ticket, const std::string& pool,
                                                                  const Owner& owner)>& why_not);
  // Ends all streams and renews nothing any more: the leases end by time.
  void stop();

  [[nodiscard]] size_t streams() const { return streams_.size(); }

 private:
  using Key = std::pair<std::string, Owner>;  // the name of the pool, and the owner
  struct Lock {
    const Key* key = nullptr;
    Token token = 0;
    std::set<Ticket> streams;
    std::optional<Duration> length;  // of the lease; nullopt: not known, or it never ends
    std::optional<Time> ends;        // not later than the backend ends the lease
    std::optional<Time> renew_at;    // when renew() is due; nullopt: never
    Ticket asked = 0;                // of the renewal that has no answer yet; 0: none
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
  std::map<Ticket, Lock*> asked_;              // renewals without an answer
  std::set<std::pair<Time, Lock*>> renewals_;  // by renew_at
  Ticket last_ticket_ = 0;
};

}  // namespace distributex
