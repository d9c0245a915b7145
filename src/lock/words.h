// SPDX-License-Identifier: MIT
// The words of a lock service: pools, owners, leases, requests, verdicts and
// answers. Plain data that every other room shares; nothing here decides.
#pragma once

#include <chrono>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "base/time.h"

namespace distributex {

using Token = uint64_t;   // fencing token, 1 .. max_token
using Ticket = uint64_t;  // one request that is waiting for its answer
using OpId = uint64_t;    // one question put to the backend

inline constexpr Token max_token = (uint64_t{1} << 53) - 1;

// One configured pool. expire 0: its leases never end.
struct PoolSpec {
  std::string name;
  std::chrono::seconds expire{0};
  uint32_t maxlocks = 1;
  std::vector<std::string> servers;  // sorted; empty: every host may ask
  bool operator==(const PoolSpec&) const = default;
};

struct Owner {
  std::string host;
  std::string id;  // empty: the host itself is the holder
  auto operator<=>(const Owner&) const = default;
};

struct OwnerHash {
  size_t operator()(const Owner& o) const noexcept {
    return std::hash<std::string>{}(o.host) * 31 + std::hash<std::string>{}(o.id);
  }
};

struct Lease {
  Owner owner;
  Token token = 0;
  Time since{};
  std::optional<Time> ends;  // nothing: never
};

enum class Verb { get, wait, release, renew };
inline constexpr size_t verb_count = static_cast<size_t>(Verb::renew) + 1;

// What a client asks for, syntactically sound.
struct Request {
  Verb verb = Verb::get;
  std::string pool;
  Owner owner;
  std::optional<Token> token;
  std::optional<std::chrono::seconds> expire;
  std::optional<Duration> timeout;  // wait only; nothing: for ever
};

// Questions to a backend. Each is answered by one Verdict under its op.

// Takes a slot, or finds the lease that the owner has already.
struct Acquire {
  OpId op = 0;
  std::string pool;
  Owner owner;
  uint32_t slots = 1;                          // at most so many leases at a time
  std::optional<std::chrono::seconds> length;  // nothing: the lease never ends
  bool find_only = false;                      // held or full, never a new lease
};

// Gives a lease back: the one with this token, or whichever the owner has.
struct Release {
  OpId op = 0;
  std::string pool;
  Owner owner;
  std::optional<Token> token;
  uint32_t slots = 1;
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

// A backend's word on one question.
struct Verdict {
  enum class Kind { granted, held, full, released, not_held, renewed, lost, failed };
  Kind kind = Kind::failed;
  Token token = 0;           // granted, held, renewed, released
  std::optional<Time> ends;  // granted, held, renewed; nothing: never
  std::optional<Time>
      retry_at;        // granted, full: when asking again makes sense; nothing: only when told
  std::string reason;  // failed: one clear sentence
  std::optional<Time> since;  // released: when the lease was granted, if it is known
};

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
  unavailable
};
inline constexpr size_t result_count = static_cast<size_t>(Result::unavailable) + 1;

// Why a request is invalid; chooses the status of the answer. not_found is an
// unknown pool, no_such_path a path that is nobody's.
enum class Fault { none, bad_request, host_not_listed, not_found, no_such_path, bad_method };

// Where somebody stands who did not get a lock.
struct Standing {
  struct Holder {
    Owner owner;
    Duration held{};
    std::optional<Duration> expires_in;
  };
  size_t waiting = 0;                // all who wait for the pool
  std::optional<size_t> position;    // the place in the line, from 1; nothing: far behind
  std::vector<Holder> holders;       // the oldest few
  std::optional<Duration> estimate;  // until its turn comes; nothing: no basis
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
  std::optional<Standing> standing;    // busy, timeout
};

}  // namespace distributex
