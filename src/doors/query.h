// SPDX-License-Identifier: MIT
// Parameters in queries and forms, as all doors read them: a name is decoded
// once and compared whole, and a value is either sound or refused with a
// sentence that says what would be right. Pure, and total: any bytes are a sound
// input.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace distributex {

using Complaint = std::string;  // one sentence of printable ASCII; empty: all is well

// Undoes `+` and %HH, once; false when a % is not followed by two hex digits.
[[nodiscard]] bool decode(std::string_view raw, std::string& text);

// Whether a parameter's name, as sent, is this one.
[[nodiscard]] bool is_named(std::string_view raw, std::string_view name);

// `parameter "NAME" WHAT`, and with a value what was sent, short and
// percent-encoded.
[[nodiscard]] Complaint complain(std::string_view name, std::string_view what);
[[nodiscard]] Complaint complain(std::string_view name, std::string_view what,
                                 std::string_view raw);

// Why a text cannot be a host, pool or id; nullptr: it can.
[[nodiscard]] const char* unsound_name(std::string_view text);

// Decodes the name of a host or a pool, or an id: 1 to 255 bytes of UTF-8 without
// control characters.
[[nodiscard]] Complaint read_name(std::string_view name, std::string_view raw, std::string& into);

[[nodiscard]] std::optional<uint64_t> whole_number(std::string_view text, uint64_t least,
                                                   uint64_t most);

// The parameters that a page asks for, one by one. An absent one is nullopt; an
// unsound one is nullopt, too, and leaves a complaint: then the page must not be
// shown, for it would show more than was asked for.
class PageQuery {
 public:
  explicit PageQuery(std::string_view query) : query_(query) {}

  // The first of this name counts.
  [[nodiscard]] std::optional<std::string> text(std::string_view name);
  [[nodiscard]] std::optional<uint64_t> whole(std::string_view name);
  void refuse(std::string_view name, std::string_view what);

  [[nodiscard]] const Complaint& complaint() const { return complaint_; }

 private:
  [[nodiscard]] std::optional<std::string_view> find(std::string_view name) const;

  std::string_view query_;
  Complaint complaint_;  // the first
};

// Whether an Accept header names a type itself, with a q that is not 0.
[[nodiscard]] bool accepts(std::string_view accept, std::string_view type);
[[nodiscard]] inline bool accepts_json(std::string_view accept) {
  return accepts(accept, "application/json");
}

}  // namespace distributex
