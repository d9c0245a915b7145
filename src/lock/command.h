// SPDX-License-Identifier: MIT
// What a door reads from its protocol and hands to the engine.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "lock/identity.h"
#include "lock/lease.h"

namespace distributex {

enum class Verb { get, wait, release, renew, freeze, thaw, evict };
inline constexpr size_t verb_count = static_cast<size_t>(Verb::evict) + 1;

// Whether it is a verb of operators, which acts on pools and on the leases of others.
[[nodiscard]] constexpr bool is_order(Verb verb) {
  return verb == Verb::freeze || verb == Verb::thaw || verb == Verb::evict;
}

// Longer than the pauses of distributex(1) between two attempts, which are at most 7.5 s.
inline constexpr std::chrono::seconds usual_pause{10};

// What a client asks for, syntactically sound. The client claims the owner; the identity is
// proven.
struct Command {
  Verb verb = Verb::get;
  std::string pool;
  Owner owner;
  std::optional<Token> token;
  std::optional<std::chrono::seconds> expire;
  std::optional<Duration> timeout;     // wait only; nullopt: for ever
  Outcome outcome = Outcome::unknown;  // release
  std::optional<uint8_t> status{};     // release: the exit status, for people
  std::string reason{};                // freeze, evict
  std::string by{};                    // a verb of operators: the claimed name of the operator
  std::optional<Duration> lasts{};     // freeze only; nullopt: until it is thawed
  // wait only: so long after a wait that ends without the lock, the owner's place is kept.
  Duration comes_back_within = usual_pause;
  // get and wait: a connection holds the lease, and the server renews it while the
  // connection lives. So the lease has the length `expire` also if leases of the pool never
  // end.
  bool ends_with_connection = false;
  std::string_view door{};  // through which the command came: Door::name, which is static
  std::string note{};       // get and wait: to be kept with the lease
  Identity identity{};
};

}  // namespace distributex
