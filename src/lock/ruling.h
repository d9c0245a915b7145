// SPDX-License-Identifier: MIT
// What a backend keeps about pools beside their leases: freezes by operators, and closed
// slots (rests). And Happening, what the backend reports about both. Plain data.
#pragma once

#include <optional>
#include <string>

#include "lock/lease.h"

namespace distributex {

// While it lasts, no new lease of these pools is granted.
struct Freeze {
  std::string pool;  // the name of a pool, or a pattern with '*'
  std::string reason;
  std::string by;             // the operator
  Time since{};               // only to be shown
  std::optional<Time> until;  // nullopt: until it is thawed
};

// A slot that stays closed after its lease has ended. The slot counts as taken.
struct Rest {
  enum class Why { min_hold, release_delay, lock_delay };
  Owner owner;      // of the lease that has ended
  Token token = 0;  // of that lease
  Time ends{};
  Why why = Why::min_hold;
};

// Something that the backend did to a pool, for the record. An evict or rest also has the
// owner and the token of the lease.
struct Happening {
  enum class Kind { frozen, thawed, evicted, rested };
  Kind kind = Kind::frozen;
  std::string pool;  // frozen, thawed: may be a pattern
  Owner owner{};
  Token token = 0;
  std::string reason{};
  std::string by{};
  std::optional<Duration> lasts{};  // frozen, rested: for how long
  std::optional<Duration> held{};   // evicted: how long the lease was held
};

}  // namespace distributex
