// SPDX-License-Identifier: MIT
// From an Answer to what goes on the wire: status, headers and a body as text
// or JSON. Pure; knows no evhttp. Nothing a client sent reaches a header
// unescaped.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "lock/words.h"

namespace distributex {

struct Header {
  const char* name;
  std::string value;
};

struct Reply {
  int status = 200;
  const char* reason = "OK";  // the status line's phrase
  const char* content_type = "text/plain; charset=utf-8";
  std::vector<Header> headers;  // without Content-Type, Content-Length, Date
  std::string body;
};

// The answer of a verb. Text is "YES", "NO", "OK" or "INVALID" without a
// newline, with status 200 except for 503 and for unknown paths and methods.
[[nodiscard]] Reply format_answer(const Answer&, bool json);

// Result as it stands in Distributex-Result and in JSON: "granted", "not-held".
[[nodiscard]] std::string_view result_name(Result);

// The phrase for a status code: 200 "OK".
[[nodiscard]] const char* status_reason(int status);

// Text safe inside a header or a log line: bytes outside 0x20..0x7e and the
// backslash become \xHH, cut at max bytes of output (then ending in "...").
[[nodiscard]] std::string escaped(std::string_view text, size_t max = 256);

}  // namespace distributex
