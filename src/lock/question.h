// SPDX-License-Identifier: MIT
// What the engine asks a backend, and the verdict that the backend gives.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>

#include "lock/lease.h"

namespace distributex {

// Questions to a backend. The backend answers each with one Verdict, which has the same op.

// Takes a slot, or finds the lease that the owner has already.
struct Acquire {
  OpId op = 0;
  std::string pool;
  Owner owner;
  uint32_t slots = 1;                          // the pool has at most so many leases at a time
  std::optional<std::chrono::seconds> length;  // nullopt: the lease never ends
  bool find_only = false;                      // the verdict is held or full, never granted
  std::string note{};                          // to be kept with the lease
  // For backends whose servers take turns:
  bool patient = false;              // the waiter stays, and is asked for again
  Time since{};                      // when the waiter arrived
  std::optional<Time> next_since{};  // when the next waiter arrived; nullopt: there is none
  size_t waiting = 0;                // waiters of the pool, this one included
};

// Releases a lease: the one with this token, or whichever the owner has.
struct Release {
  OpId op = 0;
  std::string pool;
  Owner owner;
  std::optional<Token> token;
  uint32_t slots = 1;
  Outcome outcome = Outcome::unknown;
  std::optional<uint8_t> status{};
  bool undelivered = false;  // release only if no other server has told the owner of the lease
};

// Renews a lease: its time begins anew, with the same length or a new one.
struct Renew {
  OpId op = 0;
  std::string pool;
  Owner owner;
  std::optional<Token> token;
  std::optional<std::chrono::seconds> length;  // nullopt: as long as before
  uint32_t slots = 1;
};

// What an operator wants done to pools or leases.
struct Order {
  // freeze sets a freeze, or changes the freeze of the same name. thaw ends all freezes
  // whose names `pool`, a name or a pattern, matches. evict ends the lease with the token.
  enum class Kind { freeze, thaw, evict };
  OpId op = 0;
  Kind kind = Kind::freeze;
  std::string pool;  // freeze, thaw: may be a pattern
  std::string reason{};
  std::string by{};
  std::optional<Duration> lasts{};  // freeze
  Token token = 0;                  // evict
  uint32_t slots = 1;               // evict
};

// A backend's verdict on one question. On an order: done, or not_held if there was nothing
// to thaw or to evict.
struct Verdict {
  enum class Kind { granted, held, full, released, not_held, renewed, lost, failed, done };
  Kind kind = Kind::failed;
  Token token = 0;           // granted, held, renewed, released
  std::optional<Time> ends;  // granted, held, renewed; nullopt: never
  // granted, full: when to ask again if nothing changes before; nullopt: only after a change
  std::optional<Time> retry_at;
  std::string reason;         // failed: one clear sentence
  std::optional<Time> since;  // released: when the lease was granted, if it is known
  Owner owner{};              // done, of an evict: the owner of the lease
  uint64_t stored = 0;        // the commit that must be stored before a client is told; 0: none
};

}  // namespace distributex
