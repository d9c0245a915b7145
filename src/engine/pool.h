// SPDX-License-Identifier: MIT
// What the engine remembers: waiters, the lines of a pool, questions in
// flight, grants whose delivery is not known yet. Belongs to engine.cpp;
// the rules stand there.
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

// By owner, then by arrival.
struct ByOwner {
  using is_transparent = void;
  bool operator()(const Waiter* a, const Waiter* b) const;
  bool operator()(const Waiter* a, const Owner& b) const;
  bool operator()(const Owner& a, const Waiter* b) const;
};
using WaitersByOwner = std::set<Waiter*, ByOwner, Slab<Waiter*>>;

// One request without an answer. It is in exactly one list: its pool's fresh,
// line or asked, or the engine's `running` for release and renew.
struct Waiter {
  Ticket ticket = 0;
  EnginePool* pool = nullptr;
  Line* in = nullptr;                   // the list it is in
  WaitersByOwner::iterator by_owner{};  // its place there, unless it is in `running`
  Owner owner{};
  Turn turn = 0;
  Time since{};
  Time gives_up{};                           // get: at once; never: waits for ever
  Duration comes_back_within = usual_pause;  // as in its command
  OpId op = 0;                               // the question about it, when one is in flight
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

// A grant whose answers are on their way: to the ticket that got it and to all
// that were told of it meanwhile.
struct Promise {
  Owner owner;
  size_t open = 0;    // answers of which nothing is known yet
  bool kept = false;  // one has arrived
};

struct EnginePool {
  PoolSpec spec;
  bool removed = false;
  size_t made_at = SIZE_MAX;  // its place among those that patterns have made
  bool is_idle = false;       // said so to the server
  Line fresh;                 // arrived, not asked yet
  Line line;                  // refused and patient, by their turns
  using LineTurn = std::pair<const Turn, Line::iterator>;
  std::map<Turn, Line::iterator, std::less<>, Slab<LineTurn>> turns;  // of those in line
  Places places;                                                      // of those who left
  Line asked;               // at most one, taken from the other two
  WaitersByOwner by_owner;  // all in those three
  OpId acquire = 0;         // the one in flight; its waiter may have gone
  bool again = false;       // became due while it was in flight
  Time retry_at = never;    // when the line is due
  Time scheduled = never;   // its place among the engine's retries
  std::map<Token, Promise, std::less<>, Slab<std::pair<const Token, Promise>>> promises;
  std::vector<Token> unheard;  // of those, to be given back unless the acquire says held
  size_t ops = 0;              // questions in flight, of all kinds
};

// A question in flight. Its waiter is forgotten when it goes; then owner says
// whom a grant would have to be taken back from.
struct Op {
  enum class Kind { take, find, release, renew, give_back };
  Kind kind = Kind::take;
  EnginePool* pool = nullptr;
  std::optional<Line::iterator> waiter{};
  Owner owner{};
};

// An operator's order that the backend has not decided yet. It belongs to no
// pool's line: it may be about a pattern, or a pool that is not configured.
struct AskedOrder {
  std::optional<Ticket> ticket;  // nothing: its client has gone; it is carried out all the same
  Verb verb;
  std::string pool;
  Token token;
  Time since;
};

inline bool is_patient(const Waiter& w, Time now) {
  return w.verb == Verb::wait && w.gives_up > now;
}

}  // namespace distributex
