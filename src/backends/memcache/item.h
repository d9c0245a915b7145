// SPDX-License-Identifier: MIT
// What stands in a slot's item: whose lease it is, as text. Pure.
//
//   dx1 STATE TOKEN LENGTH GRANTED STARTED NONCE HOST ID[ +NONCE/SERVER]...
//
// STATE is lease or claim, or the name of the delay for which the slot of an ended
// lease stays closed: then it is closed for LENGTH from STARTED on.
// A claim is a slot taken whose token is not drawn yet; it is nobody's lease
// and memcached drops it after seconds. "+NONCE/SERVER" was put behind by a
// server that is about to tell the owner of that very lease: whoever granted
// it and could not say so must not take it back any more.
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
  uint64_t started_us = 0;         // the grant or the last renewal
  std::string nonce;               // new with each write, so that equal values are one write
  std::vector<std::string> told;   // the servers in its marks
  std::optional<Rest::Why> rest;   // no lease any more: its slot stays closed

  [[nodiscard]] bool is_claim() const { return token == 0; }
  [[nodiscard]] bool is_lease() const { return token != 0 && !rest; }
  [[nodiscard]] bool told_by(std::string_view server) const;
};

// With its marks.
[[nodiscard]] std::string format_slot(const SlotLease& lease);
// Nothing when it is no value of ours: then the slot is a stranger's.
[[nodiscard]] std::optional<SlotLease> parse_slot(std::string_view value);
// What is put behind the value to mark it as told.
[[nodiscard]] std::string told_mark(const SlotLease& lease, std::string_view server);

// 128 random bits in hexadecimal.
[[nodiscard]] std::string make_nonce();

}  // namespace distributex
