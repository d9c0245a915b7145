// SPDX-License-Identifier: MIT
//
// What a server's answer means: status, headers and body in, one Reply out. Pure; no curl. A server
// that sends no Distributex-Result header is the original one, whose single word is all there is:
// no token, no lease of its own length.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "client/clock.h"
#include "lock/words.h"

namespace distributex::client {

// What came back from one attempt. Status 0: no answer, and `trouble` says why.
struct RawAnswer {
  bool connected = false;
  bool lasting = false;  // no answer, and none before somebody mends what is wrong
  long status = 0;
  std::string body;
  std::string trouble;
  std::optional<std::string> result, token, expires, error, retry_after, frozen;
};

struct Reply {
  std::optional<Result> result;  // nullopt: no answer, or not one of a lock server
  bool lasting = false;          // as above
  bool original = false;         // it knows get, wait and release only
  std::optional<std::uint64_t> token;
  std::optional<Span> expires;
  std::optional<Span> retry_after;
  std::string frozen;  // why the pool is frozen; empty: it is not, as far as is known
  std::string error;   // one clear sentence, free of control characters
};

[[nodiscard]] Reply interpret(const RawAnswer& raw);

// Keeps one header line of an answer when it is one of those that matter; `line` as it came, with
// or without CR LF.
void take_header(RawAnswer& raw, std::string_view line);

}  // namespace distributex::client
