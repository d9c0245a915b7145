// SPDX-License-Identifier: MIT
// jansson bounds the depth of the JSON, http bounds the size of the body.
#include "doors/json_body.h"

namespace distributex {

std::variant<Json, std::string> read_json_object(std::string_view body) {
  json_error_t error{};
  Json json{json_loadb(body.data(), body.size(), JSON_REJECT_DUPLICATES, &error)};
  if (!json) {
    return "the body is no JSON that can be read, at byte " + std::to_string(error.position);
  }
  if (!json_is_object(json.get())) {
    return "the body is JSON, but no object";
  }
  return json;
}

std::optional<std::string_view> text_member(const json_t* object, const char* name) {
  const json_t* value = json_object_get(object, name);
  if (!json_is_string(value)) {
    return std::nullopt;
  }
  return std::string_view{json_string_value(value), json_string_length(value)};
}

}  // namespace distributex
