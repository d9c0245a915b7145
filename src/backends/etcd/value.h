// SPDX-License-Identifier: MIT
// What stands in the values of our keys, as words with a space between. Pure.
//
//   base    OFFSET CLOCK
//   ticket  STAMP COUNT
//   lease   dx1 LENGTH LEFT CLOCK OFFSET GRANTED KEEPER NONCE [NOTE]
//
// NOTE is in base64, and absent when it is empty.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace distributex {

struct EtcdBaseValue {
  uint64_t offset = 0;  // a token is the revision of its grant, and this
  int64_t clock = 0;    // milliseconds; never runs faster than time
};

struct EtcdTicketValue {
  int64_t stamp = 0;   // the clock when the longest waiter there arrived
  uint64_t count = 0;  // how many waited there when it was written
};

struct EtcdLeaseValue {
  uint64_t length = 0;   // milliseconds; 0: it never ends
  uint64_t left = 0;     // of it, from this write on; 0: it never ends
  int64_t clock = 0;     // the clock at this write
  uint64_t offset = 0;   // of its token, for good
  uint64_t granted = 0;  // microseconds since 1970, for people
  std::string keeper;    // the server that wrote this
  std::string nonce;     // of this very write
  std::string note{};    // see lock/note.h
};

[[nodiscard]] std::string format_base(const EtcdBaseValue& value);
[[nodiscard]] std::string format_ticket(const EtcdTicketValue& value);
[[nodiscard]] std::string format_lease(const EtcdLeaseValue& value);

// Each returns nullopt for what another program wrote.
[[nodiscard]] std::optional<EtcdBaseValue> parse_base(std::string_view text);
[[nodiscard]] std::optional<EtcdTicketValue> parse_ticket(std::string_view text);
[[nodiscard]] std::optional<EtcdLeaseValue> parse_lease(std::string_view text);

}  // namespace distributex
