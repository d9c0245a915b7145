// SPDX-License-Identifier: MIT
// What the headers of a request say about where the request ends and whether its connection
// goes on. If a proxy in front and this server could read the headers in different ways,
// that is a fault (RFC 9112, sections 3.2, 5.1, 6 and 9.6).
#pragma once

struct evkeyvalq;

namespace distributex {

struct Framing {
  const char* fault = nullptr;  // one sentence; null: there is none
  bool announces_body = false;
  bool asks_to_close = false;  // some Connection header has "close" in its list
  bool asks_to_stay = false;   // likewise "keep-alive"
};

// old: HTTP/1.0, which needs no Host and knows no Transfer-Encoding.
[[nodiscard]] Framing read_framing(const evkeyvalq& headers, bool old);

}  // namespace distributex
