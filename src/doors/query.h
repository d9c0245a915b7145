// SPDX-License-Identifier: MIT
// Reads parameters in queries and forms, for all doors. A name is decoded once and compared
// whole. A value is either sound, or refused with a sentence that says what would be right.
// Pure, and total: any bytes are a sound input.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace distributex {

using Complaint = std::string;  // one sentence of printable ASCII; empty: all is well

// Decodes `+` and %HH, once. Returns false if two hex digits do not follow a %.
[[nodiscard]] bool decode(std::string_view raw, std::string& text);

// Whether a parameter's name, as it was sent, is this name when it is decoded.
[[nodiscard]] bool is_named(std::string_view raw, std::string_view name);

// Makes `parameter "NAME" WHAT`; with `raw`, the value as it was sent follows, short and
// percent-encoded.
[[nodiscard]] Complaint complain(std::string_view name, std::string_view what);
[[nodiscard]] Complaint complain(std::string_view name, std::string_view what,
                                 std::string_view raw);

// Why the text cannot be a host, pool or id; nullptr: it can.
[[nodiscard]] const char* unsound_name(std::string_view text);

// Decodes the name of a host or a pool, or an id: 1 to 255 bytes of UTF-8 without
// control characters.
[[nodiscard]] Complaint read_name(std::string_view name, std::string_view raw, std::string& into);

[[nodiscard]] std::optional<uint64_t> whole_number(std::string_view text, uint64_t least,
                                                   uint64_t most);

// A page reads its parameters here, one by one. For an absent parameter the result is
// nullopt. For an unsound one it is nullopt too, and complaint() is set: then the page must
// not be shown, because it would show more than the client asked for.
class PageQuery {
 public:
  explicit PageQuery(std::string_view query) : query_(query) {}

  // If a name comes more than once, the first one counts.
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
