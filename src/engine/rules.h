// SPDX-License-Identifier: MIT
// The rules that a command must pass before the engine takes it. Each rule is a row in
// rules.cpp, and the rows stand in the order in which they are checked. Pure: a rule sees
// the command, its pool and how full the engine is, and changes nothing.
#pragma once

#include <cstddef>
#include <optional>
#include <string>

#include "engine/access.h"
#include "lock/words.h"

namespace distributex {

// What a verb does. It decides which rules count for the verb.
enum class Gate : unsigned {
  take = 1,   // get a lease
  give = 2,   // give back, or renew, a lease that the owner has
  see = 4,    // look at pools, holders and waiters
  admin = 8,  // act on pools and on the leases of others
};
[[nodiscard]] Gate gate_of(Verb verb);

struct Situation {
  const Command& command;
  const Access& access;
  bool is_own;  // the server itself renews or releases for a client that was allowed to take
  const PoolSpec* pool;  // nullptr: there is no pool of that name
  size_t newcomers;      // waiters of the pool that were not asked for yet
  size_t max_waiting;
  bool has_room;  // false: a pattern would make the pool, but there are max_pools already
  bool draining;
};

struct Refusal {
  Result result = Result::invalid;
  Fault fault = Fault::none;
  std::string error;  // one clear sentence
};

[[nodiscard]] Refusal to_refusal(Denied denied);

// Whether the identity may administer all pools. Without access rules every peer on this
// machine may.
[[nodiscard]] bool administers(const Access& access, const Identity& identity);

// The refusal of the first rule that does not let the command pass.
[[nodiscard]] std::optional<Refusal> refused(const Situation& situation);

[[nodiscard]] Answer refused_with(Result result, Fault fault, std::string error);

// Sentences of answers that more than one file gives.
inline constexpr const char* shutting_down = "the server is shutting down";
inline constexpr const char* too_many_pools =
    "there are too many pools of this pattern already (max_pools)";
inline constexpr const char* too_many = "too many requests wait for this pool already";

}  // namespace distributex
