// SPDX-License-Identifier: MIT
// The data of the engine: waiters, the lines of a pool, questions in flight, grants whose
// delivery is not known yet. For the engine only; its rules are in engine.cpp.
#pragma once

#include <functional>
#include <list>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "base/slab.h"
#include "engine/places.h"
#include "lock/words.h"

namespace distributex {

inline constexpr Time never = Time::max();

struct EnginePool;
struct Waiter;
using Line = std::list<Waiter, Slab<Waiter>>;

// Orders waiters by owner, then by arrival.
struct ByOwner {
  using is_transparent = void;
  bool operator()(const Waiter* a, const Waiter* b) const;
  bool operator()(const Waiter* a, const Owner& b) const;
  bool operator()(const Owner& a, const Waiter* b) const;
};
using WaitersByOwner = std::set<Waiter*, ByOwner, Slab<Waiter*>>;

// One request without an answer. It is in exactly one list: a get or wait in fresh, line or
// asked of its pool, a release or renew in Engine::running_.
struct Waiter {
  Ticket ticket = 0;
  EnginePool* pool = nullptr;
  Line* in = nullptr;                   // the list that it is in
  WaitersByOwner::iterator by_owner{};  // in EnginePool::by_owner, unless it is in running_
  Owner owner{};
  Turn turn = 0;
  Time since{};
  Time gives_up{};                           // of a get: its arrival; never: no timeout
  Duration comes_back_within = usual_pause;  // as in its command
  OpId op = 0;                               // its question in flight; 0: none
  std::optional<std::chrono::seconds> expire{};
  std::optional<Token> token{};
  std::string note{};
  bool ends_with_connection = false;
  std::string_view door{};
  Verb verb = Verb::get;
  Outcome outcome = Outcome::unknown;
  std::optional<uint8_t> status{};
};

inline bool ByOwner::operator()(const Waiter* a, const Waiter* b) const {
  const auto order = a->owner <=> b->owner;
  return order != 0 ? order < 0 : a->ticket < b->ticket;
}
inline bool ByOwner::operator()(const Waiter* a, const Owner& b) const { return a->owner < b; }
inline bool ByOwner::operator()(const Owner& a, const Waiter* b) const { return a < b->owner; }

// A grant whose answers are on their way: to the ticket that was granted the lease, and to
// tickets of the same owner that were told `held` meanwhile.
struct Promise {
  Owner owner;
  size_t open = 0;    // answers neither delivered nor cancelled yet
  bool kept = false;  // at least one answer was delivered
};

struct EnginePool {
  PoolSpec spec;
  bool removed = false;
  size_t made_at = SIZE_MAX;  // its index in Engine::made_; SIZE_MAX: no pattern made it
  bool is_idle = false;       // its name is in Engine::idle_
  Line fresh;                 // waiters that have arrived and were not asked for yet
  Line line;                  // waiters that were refused and stay, by their turns
  using LineTurn = std::pair<const Turn, Line::iterator>;
  std::map<Turn, Line::iterator, std::less<>, Slab<LineTurn>> turns;  // of the waiters in line
  Places places;            // of owners that left the line
  Line asked;               // at most one waiter, from fresh or line: acquire is about it
  WaitersByOwner by_owner;  // all waiters of fresh, line and asked
  OpId acquire = 0;         // the question in flight, 0: none; its waiter may have left
  bool again = false;       // make_due() was called since the last acquire was asked
  Time retry_at = never;    // when to ask for the head of the line
  Time scheduled = never;   // its time in Engine::retries_; never: it is not in there
  std::map<Token, Promise, std::less<>, Slab<std::pair<const Token, Promise>>> promises;
  // Of promises that no client has heard of: given back when the pending acquire is decided,
  // unless its verdict is that this lease is held.
  std::vector<Token> unheard;
  size_t ops = 0;  // questions in flight, of all kinds
};

// A question in flight. If its waiter leaves, `waiter` is reset and `owner` is set: a grant
// to that owner must be given back.
struct Op {
  enum class Kind { take, find, release, renew, give_back };
  Kind kind = Kind::take;
  EnginePool* pool = nullptr;
  std::optional<Line::iterator> waiter{};
  Owner owner{};
};

// An operator's order that the backend has not decided yet. It is not kept in an
// EnginePool: it may name a pattern, or a pool that is not configured.
struct AskedOrder {
  std::optional<Ticket> ticket;  // nullopt: the client has left; the order stands nevertheless
  Verb verb;
  std::string pool;
  Token token;
  Time since;
};

inline bool is_patient(const Waiter& w, Time now) {
  return w.verb == Verb::wait && w.gives_up > now;
}

}  // namespace distributex
