// SPDX-License-Identifier: MIT
// Brief requests: whole in what was read at once, and so plain that nobody could
// read them in two ways. Pure, and total. What is not brief may still be sound:
// evhttp reads it.
#pragma once

#include <array>
#include <cstddef>
#include <span>
#include <string_view>

#include "http/message.h"

namespace distributex {

// A GET of HTTP/1.1 without a body, with one sound Host, and without a header that
// says where a request or its connection ends, who sent it, or from which site.
// Views into the bytes that it was read from.
struct BriefRequest {
  static constexpr size_t most_fields = 16;

  std::string_view target;
  std::array<Field, most_fields> all_fields;
  size_t field_count;
  size_t size;  // of the whole request, in bytes

  [[nodiscard]] std::span<const Field> fields() const { return {all_fields.data(), field_count}; }
};

// Whether the bytes begin with a brief request of at most so many bytes; `into` is of
// no use if not.
[[nodiscard]] bool read_brief(std::string_view bytes, size_t most, BriefRequest& into);

}  // namespace distributex
