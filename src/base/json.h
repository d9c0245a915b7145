// SPDX-License-Identifier: MIT
// The few things that all our JSON has in common: who frees a value, and how
// texts and numbers of seconds are put. Knows no locks.
#pragma once

#include <jansson.h>

#include <chrono>
#include <memory>
#include <string>
#include <string_view>

namespace distributex {

struct JsonFree {
  void operator()(json_t* value) const noexcept { json_decref(value); }
};
using Json = std::unique_ptr<json_t, JsonFree>;

// A new text; what is not UTF-8 goes in escaped, and cut like a header.
[[nodiscard]] json_t* json_text(std::string_view text);

// Leaves the member out when the text is empty.
void set_text(json_t* object, const char* key, std::string_view text);

void set_whole(json_t* object, const char* key, uint64_t number);

// Seconds with decimals, cut to whole milliseconds.
void set_seconds(json_t* object, const char* key, std::chrono::nanoseconds duration);

// In one line, with exact milliseconds.
[[nodiscard]] std::string json_line(const json_t* value);

}  // namespace distributex
