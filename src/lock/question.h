// SPDX-License-Identifier: MIT
// What the engine asks a backend, and the verdict that the backend gives.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>

#include "lock/lease.h"

namespace distributex {

// Questions to a backend. Each is answered by one Verdict under its op.

// Takes a slot, or finds the lease that the owner has already.
struct Acquire {
  OpId op = 0;
  std::string pool;
  Owner owner;
  uint32_t slots = 1;                          // at most so many leases at a time
  std::optional<std::chrono::seconds> length;  // nothing: the lease never ends
  bool find_only = false;                      // held or full, never a new lease
  std::string note{};                          // to be kept with the lease
  // For backends whose servers take turns:
  bool patient = false;              // it will be asked again until it is granted
  Time since{};                      // when it arrived
  std::optional<Time> next_since{};  // and the next one in line, if there is one
  size_t waiting = 0;                // so many wait for the pool, this one among them
};

// Gives a lease back: the one with this token, or whichever the owner has.
struct Release {
  OpId op = 0;
  std::string pool;
  Owner owner;
  std::optional<Token> token;
  uint32_t slots = 1;
  Outcome outcome = Outcome::unknown;
  std::optional<uint8_t> status{};
  bool undelivered = false;  // nobody heard of it here: not if another server has told
};

// Starts a lease's time anew, by its own length or by a new one.
struct Renew {
  OpId op = 0;
  std::string pool;
  Owner owner;
  std::optional<Token> token;
  std::optional<std::chrono::seconds> length;  // nothing: as long as before
  uint32_t slots = 1;
};

// What an operator wants done where the leases are.
struct Order {
  // freeze sets a freeze, or changes that of the same name. thaw ends all whose
  // names the pool's name, or pattern, matches. evict ends the lease with the token.
  enum class Kind { freeze, thaw, evict };
  OpId op = 0;
  Kind kind = Kind::freeze;
  std::string pool;  // freeze, thaw: perhaps a pattern
  std::string reason{};
  std::string by{};
  std::optional<Duration> lasts{};  // freeze
  Token token = 0;                  // evict
  uint32_t slots = 1;               // evict
};

// A backend's word on one question. An order is done, or there was nothing to
// be thawed or evicted: not_held.
struct Verdict {
  enum class Kind { granted, held, full, released, not_held, renewed, lost, failed, done };
  Kind kind = Kind::failed;
  Token token = 0;           // granted, held, renewed, released
  std::optional<Time> ends;  // granted, held, renewed; nothing: never
  std::optional<Time>
      retry_at;        // granted, full: when asking again makes sense; nothing: only when told
  std::string reason;  // failed: one clear sentence
  std::optional<Time> since;  // released: when the lease was granted, if it is known
  Owner owner{};              // done, of an eviction: whose lease it was
  uint64_t stored = 0;        // not to be told before the backend has stored so much; 0: at once
};

}  // namespace distributex
