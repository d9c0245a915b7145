// SPDX-License-Identifier: MIT
// jansson refuses texts that are not valid UTF-8. It prints reals with as many digits as it
// is told: with fifteen, times are exact to the millisecond and do not end in 999999.
#include "base/json.h"

#include <cstdlib>

#include "base/text.h"

namespace distributex {

namespace {

struct TextFree {
  void operator()(char* text) const noexcept { std::free(text); }
};

}  // namespace

json_t* json_text(std::string_view text) {
  if (json_t* value = json_stringn(text.data(), text.size())) {
    return value;
  }
  return json_string(escaped(text).c_str());
}

void set_text(json_t* object, const char* key, std::string_view text) {
  if (!text.empty()) {
    json_object_set_new(object, key, json_text(text));
  }
}

void set_whole(json_t* object, const char* key, uint64_t number) {
  json_object_set_new(object, key, json_integer(static_cast<json_int_t>(number)));
}

void set_seconds(json_t* object, const char* key, std::chrono::nanoseconds duration) {
  const auto whole = std::chrono::floor<std::chrono::milliseconds>(duration).count();
  json_object_set_new(object, key, json_real(static_cast<double>(whole) / 1000));
}

std::string json_line(const json_t* value) {
  const std::unique_ptr<char, TextFree> text{
      json_dumps(value, JSON_COMPACT | JSON_REAL_PRECISION(15))};
  return text ? std::string{text.get()} : std::string{};
}

}  // namespace distributex
