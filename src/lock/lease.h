// SPDX-License-Identifier: MIT
// The nouns of a lock: a configured pool, the owner of a lease, the lease itself, and the
// numbers that name requests and questions.
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
using Ticket = uint64_t;  // names one request that waits for its answer
using OpId = uint64_t;    // names one question to the backend

// The tickets of requests that the server itself makes: no client waits for their answers.
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
  // How long a slot stays closed: from its grant on, even if it was released; from a release
  // on; from the end of a lease by time or by an evict on.
  std::chrono::seconds min_hold{0};
  std::chrono::seconds release_delay{0};
  std::chrono::seconds lock_delay{0};
  std::string pattern{};      // the pattern that made the pool; empty: it has a row of its own
  uint32_t freeze_after = 0;  // failed runs in a row freeze the pool; 0: never
  // Groups of FleetLock that the pool serves; own_group stands for the name of the pool.
  std::vector<std::string> fleetlock{};
  std::chrono::seconds fleetlock_wait{240};  // how long a node waits before it is refused
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

// What a holder tells about its run when it releases the lease.
enum class Outcome { unknown, ok, failed };

struct Lease {
  Owner owner;
  Token token = 0;
  Time since{};
  std::optional<Time> ends;  // nullopt: never
  std::string note{};        // see lock/note.h
};

}  // namespace distributex
