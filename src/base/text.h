// SPDX-License-Identifier: MIT
// Functions for text that all folders need: trim, compare, cut, escape, read whole numbers.
// Pure and independent of the locale; any bytes are a sound input.
#pragma once

#include <charconv>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace distributex {

inline constexpr std::string_view blanks = " \t";
inline constexpr size_t quote_max = 64;  // characters of input that an error shows

[[nodiscard]] inline bool is_digit(char c) { return c >= '0' && c <= '9'; }

// The lower case of an ASCII letter; every other byte as it is.
[[nodiscard]] inline char lower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}
[[nodiscard]] bool equal_ignoring_case(std::string_view a, std::string_view b);

// The text without the characters of `what` at both ends.
[[nodiscard]] std::string_view trimmed(std::string_view text, std::string_view what = blanks);

// Returns the text before the first separator, and removes that text and the separator from
// `rest`. If there is no separator, returns and removes all of `rest`.
[[nodiscard]] inline std::string_view take_until(char separator, std::string_view& rest) {
  const std::string_view piece = rest.substr(0, rest.find(separator));
  rest.remove_prefix(piece.size() < rest.size() ? piece.size() + 1 : piece.size());
  return piece;
}

// Reads the whole text as a decimal number: digits only (for signed types perhaps with a -
// before them), within the range of the type.
template <typename Number = uint64_t>
[[nodiscard]] std::optional<Number> parse_whole(std::string_view text) {
  Number number{};
  const char* end = text.data() + text.size();
  const std::from_chars_result read = std::from_chars(text.data(), end, number);
  if (read.ec != std::errc{} || read.ptr != end) {
    return std::nullopt;
  }
  return number;
}

// A TCP port from 0 to 65535.
[[nodiscard]] inline std::optional<uint16_t> parse_port(std::string_view text) {
  return parse_whole<uint16_t>(text);
}

[[nodiscard]] std::string decimal(uint64_t number);

// Makes the text safe for a header or a log line: bytes outside 0x20..0x7e and the backslash
// become \xHH. An output of more than max bytes is cut and ends in "...".
[[nodiscard]] std::string escaped(std::string_view text, size_t max = 256);

// escaped(text, max) between double quotes. Its name is not quoted(): an unqualified call
// with a std::string could find std::quoted.
[[nodiscard]] std::string in_quotes(std::string_view text, size_t max = quote_max);

}  // namespace distributex
