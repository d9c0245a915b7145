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

// The phrase for a status code: 200 "OK".
[[nodiscard]] const char* status_reason(int status);

}  // namespace distributex
