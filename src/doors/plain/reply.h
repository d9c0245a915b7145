// SPDX-License-Identifier: MIT
// From an Answer to what goes on the wire: status, headers and a body as text
// or JSON. Pure; knows no evhttp. Nothing a client sent reaches a header
// unescaped.
#pragma once

#include "http/message.h"
#include "lock/words.h"

namespace distributex {

// The answer of a verb. Text is "YES", "NO", "OK" or "INVALID" without a
// newline, with status 200 except for 503 and for unknown paths and methods.
[[nodiscard]] HttpReply format_answer(const Answer&, bool json);

}  // namespace distributex
