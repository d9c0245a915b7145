// SPDX-License-Identifier: MIT
//
// What a server's answer means: takes status, headers and body, returns one Reply. Pure; no curl.
// A server that sends no Distributex-Result header is the original one; its answer is a single
// word, without a token and without the length of a lease.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "client/clock.h"
#include "lock/words.h"

namespace distributex::client {

// The result of one attempt. Status 0: no answer came, and `trouble` says why.
struct RawAnswer {
  bool connected = false;
  bool lasting = false;  // no answer came, and none will until somebody acts
  long status = 0;
  std::string body;
  std::string trouble;
  std::optional<std::string> result, token, expires, error, retry_after, frozen;
};

struct Reply {
  std::optional<Result> result;  // nullopt: no answer, or not one of a lock server
  bool lasting = false;          // as in RawAnswer
  bool original = false;         // the server knows get, wait and release only
  std::optional<std::uint64_t> token;
  std::optional<Span> expires;
  std::optional<Span> retry_after;
  std::string frozen;  // why the pool is frozen; empty: it is not, as far as is known
  std::string error;   // one clear sentence, free of control characters
};

[[nodiscard]] Reply interpret(const RawAnswer& raw);

// Keeps a header line of an answer if the header matters; `line` may end with CR LF.
void take_header(RawAnswer& raw, std::string_view line);

}  // namespace distributex::client
