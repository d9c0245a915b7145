// SPDX-License-Identifier: MIT
// The values of this service's keys, as words with a space between. Pure.
//
//   base     OFFSET CLOCK
//   ticket   STAMP COUNT
//   lease    dx1 LENGTH LEFT CLOCK OFFSET GRANTED KEEPER NONCE [NOTE]
//   rest     dx1 LEFT CLOCK KEEPER WHY HOST ID
//   runs     COUNT
//   freeze   dx1 SINCE LASTS NONCE BY REASON
//   rulings  NONCE [BY]
//
// NOTE is in base64, and left out if it is empty. HOST, ID, BY and REASON are
// percent-encoded. BY in rulings names who thawed.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "lock/words.h"

namespace distributex {

struct EtcdBaseValue {
  uint64_t offset = 0;  // added to the revision of a grant, it makes the token
  int64_t clock = 0;    // milliseconds; never runs faster than time
};

struct EtcdTicketValue {
  int64_t stamp = 0;   // the shared clock when the oldest waiter of that server arrived
  uint64_t count = 0;  // how many waited at that server when the ticket was written
};

struct EtcdLeaseValue {
  uint64_t length = 0;   // milliseconds; 0: it never ends
  uint64_t left = 0;     // milliseconds left, counted from this write; 0: it never ends
  int64_t clock = 0;     // the shared clock at this write
  uint64_t offset = 0;   // the offset at the grant; later writes keep it
  uint64_t granted = 0;  // microseconds since 1970, for people
  std::string keeper;    // the server that wrote this
  std::string nonce;     // differs in every write
  std::string note{};    // see lock/note.h
};

// A slot that stays closed; LEFT and CLOCK mean what they mean in a lease.
struct EtcdRestValue {
  uint64_t left = 0;  // milliseconds, counted from this write
  int64_t clock = 0;
  std::string keeper;
  Rest::Why why = Rest::Why::min_hold;
  Owner owner;  // whose lease it was
};

struct EtcdFreezeValue {
  uint64_t since = 0;  // microseconds since 1970
  uint64_t lasts = 0;  // milliseconds; 0: until it is thawed
  std::string nonce;   // differs in every write
  std::string by;
  std::string reason;
};

struct EtcdRulingsValue {
  std::string nonce;
  std::string by{};  // who thawed; empty after a freeze
};

[[nodiscard]] std::string format_base(const EtcdBaseValue& value);
[[nodiscard]] std::string format_ticket(const EtcdTicketValue& value);
[[nodiscard]] std::string format_lease(const EtcdLeaseValue& value);
[[nodiscard]] std::string format_rest(const EtcdRestValue& value);
[[nodiscard]] std::string format_freeze(const EtcdFreezeValue& value);
[[nodiscard]] std::string format_rulings(const EtcdRulingsValue& value);

// Each returns nullopt if another program wrote the value.
[[nodiscard]] std::optional<EtcdBaseValue> parse_base(std::string_view text);
[[nodiscard]] std::optional<EtcdTicketValue> parse_ticket(std::string_view text);
[[nodiscard]] std::optional<EtcdLeaseValue> parse_lease(std::string_view text);
[[nodiscard]] std::optional<EtcdRestValue> parse_rest(std::string_view text);
[[nodiscard]] std::optional<EtcdFreezeValue> parse_freeze(std::string_view text);
// These return an empty value, or 0, if another program wrote the value.
[[nodiscard]] EtcdRulingsValue parse_rulings(std::string_view text);
[[nodiscard]] uint32_t parse_runs(std::string_view text);

}  // namespace distributex
