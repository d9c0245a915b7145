// SPDX-License-Identifier: MIT
// What is asked of a command before the engine takes it: one row of rules.cpp
// for each rule, in the order in which they are asked. Pure; a rule sees the
// command, its pool and how full the engine is, and changes nothing.
#pragma once

#include <cstddef>
#include <optional>
#include <string>

#include "engine/access.h"
#include "lock/words.h"

namespace distributex {

// What a verb does, and so which rules are asked about it.
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
  bool is_own;           // the server renews and gives back for somebody who was allowed to take
  const PoolSpec* pool;  // nullptr: there is no pool of that name
  size_t newcomers;      // of the pool, not asked about yet
  size_t max_waiting;
  bool has_room;  // there is such a pool, or no pattern would make it
  bool draining;
};

struct Refusal {
  Result result = Result::invalid;
  Fault fault = Fault::none;
  std::string error;  // one clear sentence
};

[[nodiscard]] Refusal to_refusal(Denied denied);

// Whether who is proven by this may give orders to all pools; without rules, who
// is on this machine.
[[nodiscard]] bool administers(const Access& access, const Identity& identity);

// The refusal of the first rule that does not let the command pass.
[[nodiscard]] std::optional<Refusal> refused(const Situation& situation);

[[nodiscard]] Answer refused_with(Result result, Fault fault, std::string error);

// Sentences that the engine says in more than one place.
inline constexpr const char* shutting_down = "the server is shutting down";
inline constexpr const char* too_many_pools =
    "there are too many pools of this pattern already (max_pools)";
inline constexpr const char* too_many = "too many requests wait for this pool already";

}  // namespace distributex
