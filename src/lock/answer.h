// SPDX-License-Identifier: MIT
// The answer to a client, and what other folders are told when its request ends.
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
  no_lease  // evict: no lease has the token
};
inline constexpr size_t result_count = static_cast<size_t>(Result::no_lease) + 1;

// Why a request is invalid; decides the status of the reply. not_found: an unknown pool.
// no_such_path: no door has the path. not_proven: a proof would help, and the request has
// no good one. not_allowed: no proof would help, or the proof that came is not enough.
enum class Fault {
  none,
  bad_request,
  host_not_listed,
  not_found,
  no_such_path,
  bad_method,
  not_proven,
  not_allowed
};

// What an owner that did not get a lock is told about the pool and its place.
struct Standing {
  struct Holder {
    Owner owner;
    Duration held{};
    std::optional<Duration> expires_in;
    Token token = 0;
    std::string note{};  // see lock/note.h
  };
  size_t waiting = 0;                // waiters of the pool
  std::optional<size_t> position;    // the place in the line, from 1; nullopt: far behind
  std::vector<Holder> holders;       // the oldest few
  std::optional<Duration> estimate;  // until the owner's turn; nullopt: cannot be estimated
};

// The freeze of a pool, as a client is told of it. Times are in microseconds since 1970.
struct FrozenBy {
  std::string pool;  // may be a pattern
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
  std::optional<Duration> expires_in;  // nullopt: never, or no lease
  std::string error;                   // invalid, unavailable: one clear sentence
  Token ended = 0;                     // released, evicted: the ended lease's token, if known
  std::optional<Duration> held;        // released: for how long, if it is known
  Outcome outcome = Outcome::unknown;  // released
  std::optional<uint8_t> status;       // released: the exit status
  std::optional<Standing> standing;    // busy, timeout
  std::optional<FrozenBy> frozen;      // busy, timeout, not_frozen
  std::string_view door{};             // as in the command
  uint64_t stored = 0;                 // as in the verdict on which the answer is based
};

// The answer of a ticket, to be sent. After granted or held the engine must be told once
// more about the ticket: delivered(), or cancel() if its client left.
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
