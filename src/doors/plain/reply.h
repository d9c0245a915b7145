// SPDX-License-Identifier: MIT
// Turns an Answer into a reply: status, headers and a body as text or JSON. Pure; knows no
// evhttp. No text that a client sent reaches a header unescaped.
#pragma once

#include "http/message.h"
#include "lock/words.h"

namespace distributex {

// The reply of a verb. As text its body is "YES", "NO", "OK" or "INVALID" without a newline,
// and its status 200, but for 503 and for the faults of paths, methods and rights.
[[nodiscard]] HttpReply format_answer(const Answer&, bool json);

}  // namespace distributex
