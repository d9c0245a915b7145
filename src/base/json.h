// SPDX-License-Identifier: MIT
// What all JSON of the program has in common: the owner of a value, and how texts and
// seconds are written. Knows no locks.
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

// Makes a text. A text that is not valid UTF-8 is escaped and cut by escaped().
[[nodiscard]] json_t* json_text(std::string_view text);

// Sets the member; leaves it out if the text is empty.
void set_text(json_t* object, const char* key, std::string_view text);

void set_whole(json_t* object, const char* key, uint64_t number);

// Seconds with decimals, cut to whole milliseconds.
void set_seconds(json_t* object, const char* key, std::chrono::nanoseconds duration);

// The value in one line, without a newline; milliseconds are exact.
[[nodiscard]] std::string json_line(const json_t* value);

}  // namespace distributex
