// SPDX-License-Identifier: MIT
// Brief requests: one read() returned the whole request, and it is so plain that no two
// parsers could disagree about it. Pure, and total. A request that is not brief may be
// sound nevertheless: evhttp reads it.
#pragma once

#include <array>
#include <cstddef>
#include <span>
#include <string_view>

#include "http/message.h"

namespace distributex {

// A GET of HTTP/1.1 without a body, with one sound Host, and without a header that says
// where a request or its connection ends, who sent it, or from which site. All members
// are views into the bytes from which it was read.
struct BriefRequest {
  static constexpr size_t most_fields = 16;

  std::string_view target;
  std::array<Field, most_fields> all_fields;
  size_t field_count;
  size_t size;  // of the whole request, in bytes

  [[nodiscard]] std::span<const Field> fields() const { return {all_fields.data(), field_count}; }
};

// Whether the bytes begin with a brief request of at most `most` bytes. If not, `into` is
// undefined.
[[nodiscard]] bool read_brief(std::string_view bytes, size_t most, BriefRequest& into);

}  // namespace distributex
