// SPDX-License-Identifier: MIT
// What a client is told, and what the other rooms hear about its end.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "lock/command.h"
#include "lock/lease.h"

namespace distributex {

enum class Result {
  granted,
  held,
  busy,
  timeout,
  released,
  not_held,
  renewed,
  lost,
  invalid,
  unavailable,
  frozen,
  thawed,
  not_frozen,
  evicted,
  no_lease  // there is none with the token that was to be evicted
};
inline constexpr size_t result_count = static_cast<size_t>(Result::no_lease) + 1;

// Why a request is invalid; chooses the status of the answer. not_found is an
// unknown pool, no_such_path a path that is nobody's.
enum class Fault {
  none,
  bad_request,
  host_not_listed,
  not_found,
  no_such_path,
  bad_method,
  forbidden
};

// Where somebody stands who did not get a lock.
struct Standing {
  struct Holder {
    Owner owner;
    Duration held{};
    std::optional<Duration> expires_in;
    Token token = 0;
    std::string note{};  // of its door
  };
  size_t waiting = 0;                // all who wait for the pool
  std::optional<size_t> position;    // the place in the line, from 1; nothing: far behind
  std::vector<Holder> holders;       // the oldest few
  std::optional<Duration> estimate;  // until its turn comes; nothing: no basis
};

// The freeze that a pool stands under, as a client is told: times in microseconds
// since 1970.
struct FrozenBy {
  std::string pool;  // perhaps a pattern
  std::string reason;
  std::string by;
  uint64_t since_us = 0;
  std::optional<uint64_t> until_us;
};

struct Answer {
  Result result = Result::unavailable;
  Fault fault = Fault::none;
  std::string pool;
  Owner owner;
  Token token = 0;                     // 0: none
  std::optional<Duration> expires_in;  // nothing: never, or no lease
  std::string error;                   // invalid, unavailable: one clear sentence
  Token ended = 0;                     // released: the token of what was, if it is known
  std::optional<Duration> held;        // released: for how long, if it is known
  Outcome outcome = Outcome::unknown;  // released
  std::optional<uint8_t> status;       // released: the exit status
  std::optional<Standing> standing;    // busy, timeout
  std::optional<FrozenBy> frozen;      // busy, timeout, not_frozen
  std::string_view door{};             // as in the command
  uint64_t stored = 0;                 // as in the verdict that it comes from
};

// The answer of a ticket, on its way out. After granted or held the engine is
// told once more about the ticket: its answer was delivered, or its client left.
struct Answered {
  Ticket ticket = 0;
  Verb verb = Verb::get;
  Time since{};  // when the command arrived
  Answer answer;
};

// A client that asked for a lock and left before its answer.
struct Left {
  Verb verb = Verb::get;
  Time since{};
  std::string pool;
  Owner owner;
};

}  // namespace distributex
