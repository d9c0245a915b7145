// SPDX-License-Identifier: MIT
// What stands about pools beside their leases, kept where the leases are:
// freezes by operators and slots that rest. And the news of both. Plain data.
#pragma once

#include <optional>
#include <string>

#include "lock/lease.h"

namespace distributex {

// No new lease of these pools is granted while it stands.
struct Freeze {
  std::string pool;  // its name, or a pattern with '*'
  std::string reason;
  std::string by;             // who froze it
  Time since{};               // for people
  std::optional<Time> until;  // nothing: until it is thawed
};

// A slot that stays closed after its lease has ended. It counts as taken.
struct Rest {
  enum class Why { min_hold, release_delay, lock_delay };
  Owner owner;      // whose lease it was
  Token token = 0;  // of that lease
  Time ends{};
  Why why = Why::min_hold;
};

// Something that the backend did about a pool, for the record. Of freezes:
// pool, reason, by, lasts. Of leases: whose it was.
struct Happening {
  enum class Kind { frozen, thawed, evicted, rested };
  Kind kind = Kind::frozen;
  std::string pool;  // of a freeze perhaps a pattern
  Owner owner{};
  Token token = 0;
  std::string reason{};
  std::string by{};
  std::optional<Duration> lasts{};  // frozen: for how long; rested: the same
  std::optional<Duration> held{};   // evicted: for how long
};

}  // namespace distributex
