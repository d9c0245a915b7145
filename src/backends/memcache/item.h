// SPDX-License-Identifier: MIT
// The value of a slot's item, as text: the lease, claim or rest that has the slot. Pure.
//
//   dx1 STATE TOKEN LENGTH GRANTED STARTED NONCE HOST ID[ +NONCE/SERVER]...
//
// STATE is "lease", "claim", or the option that keeps the slot of an ended lease closed
// for LENGTH from STARTED on. A claim takes a slot before its token is drawn; it is not a
// lease, and memcached drops it after seconds. A server appends "+NONCE/SERVER" before it
// tells the owner of that write; the server that granted the lease and could not tell its
// client must then not take the lease back.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "lock/words.h"

namespace distributex {

struct SlotLease {
  Owner owner;
  Token token = 0;                 // 0: a claim
  std::chrono::seconds length{0};  // 0: it never ends
  uint64_t granted_us = 0;         // since 1970, by the clock that all servers share
  uint64_t started_us = 0;         // when it was granted or last renewed, or the rest began
  std::string nonce;               // differs in every write
  std::vector<std::string> told;   // the servers of the "+NONCE/SERVER" marks
  std::optional<Rest::Why> rest;   // set: the lease has ended and its slot stays closed

  [[nodiscard]] bool is_claim() const { return token == 0; }
  [[nodiscard]] bool is_lease() const { return token != 0 && !rest; }
  [[nodiscard]] bool told_by(std::string_view server) const;
};

// Formats the value, its marks included.
[[nodiscard]] std::string format_slot(const SlotLease& lease);
// Returns nullopt if another program wrote the item; treat the slot as taken.
[[nodiscard]] std::optional<SlotLease> parse_slot(std::string_view value);
// The text to append to the value before `server` tells the owner of the lease.
[[nodiscard]] std::string told_mark(const SlotLease& lease, std::string_view server);

// 128 random bits in hexadecimal.
[[nodiscard]] std::string make_nonce();

}  // namespace distributex
