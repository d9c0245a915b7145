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

// Whether it is an operator's verb, which acts on pools and on others' leases.
[[nodiscard]] constexpr bool is_order(Verb verb) {
  return verb == Verb::freeze || verb == Verb::thaw || verb == Verb::evict;
}

// The pauses of our own client between two attempts are at most 7.5 s.
inline constexpr std::chrono::seconds usual_pause{10};

// What a client asks for, syntactically sound. The owner is a claim of the
// client; the identity is proven.
struct Command {
  Verb verb = Verb::get;
  std::string pool;
  Owner owner;
  std::optional<Token> token;
  std::optional<std::chrono::seconds> expire;
  std::optional<Duration> timeout;     // wait only; nothing: for ever
  Outcome outcome = Outcome::unknown;  // release
  std::optional<uint8_t> status{};     // release: the exit status, for people
  std::string reason{};                // freeze, evict
  std::string by{};                    // an operator's verb: who says that he gives it
  std::optional<Duration> lasts{};     // freeze only; nothing: until it is thawed
  // wait only: so long after a wait without the lock its place is kept.
  Duration comes_back_within = usual_pause;
  // get and wait: the lease has the length of `expire` also where leases of the pool
  // never end, for it is renewed while a connection lives.
  bool ends_with_connection = false;
  std::string_view door{};  // by which it came: the name of a row, which lasts
  std::string note{};       // get and wait: to be kept with the lease
  Identity identity{};
};

}  // namespace distributex
