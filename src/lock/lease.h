// SPDX-License-Identifier: MIT
// What a lock is: a configured pool, the owner of a lease, the lease itself, and
// the numbers that name requests and questions.
#pragma once

#include <chrono>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/time.h"

namespace distributex {

using Token = uint64_t;   // fencing token, 1 .. max_token
using Ticket = uint64_t;  // one request that is waiting for its answer
using OpId = uint64_t;    // one question put to the backend

// Tickets of what the server itself asks: no client waits for an answer.
inline constexpr Ticket own_tickets = Ticket{1} << 63;
constexpr Ticket own_ticket(Ticket number) { return own_tickets | number; }
constexpr bool is_own(Ticket ticket) { return (ticket & own_tickets) != 0; }

inline constexpr Token max_token = (uint64_t{1} << 53) - 1;

inline constexpr std::string_view own_group = "true";

// One configured pool. expire 0: its leases never end.
struct PoolSpec {
  std::string name;
  std::chrono::seconds expire{0};
  uint32_t maxlocks = 1;
  std::vector<std::string> servers;  // sorted; empty: every host may ask
  // So long a slot stays closed: after its grant, though it was released; after a
  // release; after a lease ended by time or was evicted.
  std::chrono::seconds min_hold{0};
  std::chrono::seconds release_delay{0};
  std::chrono::seconds lock_delay{0};
  std::string pattern{};      // by which it was made; empty: it has a row of its own
  uint32_t freeze_after = 0;  // failed runs in a row freeze the pool; 0: never
  // Groups of FleetLock that the pool serves; own_group is the pool's own name.
  std::vector<std::string> fleetlock{};
  std::chrono::seconds fleetlock_wait{240};  // how long a node of theirs is kept waiting
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

// What a holder says of its run when it gives the lease back.
enum class Outcome { unknown, ok, failed };

struct Lease {
  Owner owner;
  Token token = 0;
  Time since{};
  std::optional<Time> ends;  // nothing: never
  std::string note{};        // of the door it came through, see lock/note.h
};

}  // namespace distributex
