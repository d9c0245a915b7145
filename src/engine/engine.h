// SPDX-License-Identifier: MIT
// The rules of the lock service, pure: events go in, effects come out of first(). The
// engine calls no other part, owns no clock and does no I/O. The invariants are listed at
// the head of engine.cpp. An event costs at most O(log n) in pools, holders and waiters;
// only configure(), set_access() and drain() walk all of them.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <variant>
#include <vector>

#include "base/name_map.h"
#include "base/slab.h"
#include "engine/access.h"
#include "engine/effects.h"
#include "engine/pool.h"
#include "lock/pool_book.h"
#include "lock/words.h"

namespace distributex {

struct Bounds {
  uint32_t max_waiting = 0;                         // waiters, of each pool
  uint32_t max_pools = 10000;                       // pools that patterns make
  Bounds(uint32_t waiting, uint32_t pools = 10000)  // NOLINT(google-explicit-constructor)
      : max_waiting(waiting), max_pools(pools) {}
};

// A map by tickets, or by the ids of questions.
template <typename Value>
using NumberMap = std::unordered_map<uint64_t, Value, std::hash<uint64_t>, std::equal_to<>,
                                     Slab<std::pair<const uint64_t, Value>>>;

// A set of things by the time at which each is due.
template <typename Value>
using TimeSet = std::set<std::pair<Time, Value>, std::less<>, Slab<std::pair<Time, Value>>>;

class Engine {
 public:
  // Sets the pools; their names must be unique. A pool whose name has a '*' is a pattern.
  // Waiters of a removed pool are answered invalid, those of a changed pool stay.
  void configure(std::vector<PoolSpec> pools, Bounds bounds, Time now);
  // The backend has a lease or a rest of this pool: if a pattern matches the name, makes the
  // pool, whatever max_pools says.
  void adopt(const std::string& name);
  // Takes the name of a pool that a pattern has made and that may be unused. If the
  // backend has no lease or rest of the pool either, the caller calls forget(), which
  // removes the pool; it returns false if the pool has gone or is in use again.
  [[nodiscard]] std::optional<std::string> take_idle();
  bool forget(const std::string& pool, Time now);

  // Sets the access rules, and refuses each waiter that the new rules do not allow to
  // lock. who_is returns what is proven about the client of a ticket.
  void set_access(Access access, const std::function<Identity(Ticket)>& who_is, Time now);
  [[nodiscard]] const Access& access() const { return access_; }

  void submit(Ticket ticket, Command&& command, Time now);
  // The client has left. Its waiter is removed; if it was granted a lease and nobody else
  // was told of the lease, the lease is given back. Returns what a removed waiter for a
  // slot had asked for, else nullopt.
  std::optional<Left> cancel(Ticket ticket, Time now);
  // The client has the answer granted or held.
  void delivered(Ticket ticket, Time now);

  void decided(OpId op, const Verdict& verdict, Time now);
  void changed(std::string_view pool, Time now);
  void tick(Time now);

  // Answers every waiter, and every later command, with unavailable.
  void drain(Time now);
  // No request waits, no question to the backend is pending, no grant is undelivered.
  [[nodiscard]] bool idle() const {
    return waiters_.empty() && ops_.empty() && promised_.empty() && orders_.empty();
  }

  // The oldest effect, or nullptr. It stays valid until drop_first(), whichever events the
  // engine gets meanwhile.
  [[nodiscard]] Effect* first() { return effects_.empty() ? nullptr : &effects_.first(); }
  void drop_first() { effects_.drop_first(); }
  // When tick() is next due; nullopt: never.
  [[nodiscard]] std::optional<Time> deadline() const;

  // Views: pools in the order of the configuration, waiters in the order of their turns.
  // A pattern is visited once, with the number of waiters of all its pools.
  void each_pool(const std::function<void(const PoolSpec&, size_t waiting)>& visit) const;
  // Visits the pools that the pattern has made.
  void each_made(std::string_view pattern, const std::function<void(const PoolSpec&)>& visit) const;
  // Configured pools first, then those that patterns have made; nullptr behind the last.
  [[nodiscard]] const PoolSpec* pool_at(size_t index) const;
  void each_waiter(std::string_view pool,
                   const std::function<void(const Owner&, Time since)>& visit,
                   size_t most = SIZE_MAX) const;
  // nullptr if there is no such pool, or it was removed.
  [[nodiscard]] const PoolSpec* find_pool(std::string_view name) const;
  [[nodiscard]] size_t waiting(std::string_view pool) const;
  [[nodiscard]] std::optional<Time> oldest_waiter(std::string_view pool) const;
  // The place of the owner's first waiter, from 1; if the owner has none, the place that
  // a new one would have. nullopt: the place is behind the first `within`.
  [[nodiscard]] std::optional<size_t> place_of(std::string_view pool, const Owner& owner,
                                               size_t within, Time now) const;

 private:
  using Kind = Op::Kind;

  EnginePool* find(std::string_view name) const;
  EnginePool* find_or_make(const Command&);
  EnginePool* make_pool(const PoolSpec& pattern, const std::string& name);
  void unlist(EnginePool&);
  void erase(const EnginePool&);
  void note_idle(EnginePool&);
  void reconfigure_made(Time now);
  bool refused_at_door(Ticket, const Command&, const EnginePool*, Time now);
  void submit_order(Ticket, Command&&, Time now);
  bool order_decided(OpId, const Verdict&, Time now);
  void settle(EnginePool&, Time now);
  void kick(EnginePool&, Time now);
  void ask_for_slot(EnginePool&, Line::iterator, Kind);
  void ask_about_lease(Line::iterator);
  template <typename Question>
  Question& ask(Kind, EnginePool&, const Owner&, std::optional<Token>,
                std::optional<Line::iterator>);
  OpId open_op(Kind, EnginePool&, std::optional<Line::iterator>);
  void give_back(EnginePool&, const Owner&, Token);

  void slot_decided(EnginePool&, Op&, const Verdict&, Time now);
  void granted(EnginePool&, const Op&, const Verdict&, Time now);
  void full(EnginePool&, const Op&, const Verdict&, Time now);
  void lease_decided(const Op&, const Verdict&, Time now);
  void join_line(EnginePool&, Line::iterator, Kind, Time now);
  static void make_due(EnginePool&, Time now);

  static void move(Line::iterator, Line& to, Line::const_iterator before);
  void leave(Line::iterator);
  void keep_place(const Waiter&, Time now);
  void answer(Line::iterator, Answer&&);
  Answer& open_answer(Ticket, Verb, Time since);
  Answer& open_answer(const Waiter&);
  void close_answer(Line::iterator, Answer&);
  void answer_owner(EnginePool&, const Owner&, const Verdict&, Time now);
  void answer_all(EnginePool&, const Answer&);
  void promise(EnginePool&, Ticket, const Answer&);
  void close_promise(Ticket, bool arrived, Time now);
  std::array<const Line*, 3> lines_of(const EnginePool&) const;
  bool asks_for(const EnginePool&, const Owner&) const;
  void end_promise(EnginePool&, Token);
  void end_unheard(EnginePool&);

  NameMap<std::unique_ptr<EnginePool>> pools_;
  mutable EnginePool* found_ = nullptr;  // the last one: what follows is often about it, too
  PoolBook book_;
  std::vector<EnginePool*> order_;                     // pools with a row of their own
  std::vector<EnginePool*> made_;                      // pools that patterns have made
  std::deque<std::string> idle_;                       // for take_idle()
  NumberMap<Line::iterator> waiters_;                  // by ticket
  NumberMap<std::pair<EnginePool*, Token>> promised_;  // by ticket
  NumberMap<Op> ops_;                                  // by their ids
  std::map<OpId, AskedOrder> orders_;
  Line running_;
  TimeSet<Ticket> timeouts_;
  TimeSet<EnginePool*> retries_;
  Effects effects_;
  OpId last_op_ = 0;
  Turn last_turn_ = 0;
  Access access_;
  uint32_t max_waiting_ = 0;
  uint32_t max_pools_ = 0;
  bool draining_ = false;
};

}  // namespace distributex
