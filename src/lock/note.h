// SPDX-License-Identifier: MIT
// A note that goes with a lease: which door it came through, and what that door wants
// to see again. Empty for the plain door.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace distributex {

inline constexpr size_t note_max = 4096;  // bytes

[[nodiscard]] inline std::string make_note(std::string_view door, std::string_view text) {
  std::string note{door};
  if (!text.empty()) {
    note.append(" ").append(text);
  }
  return note;
}

[[nodiscard]] inline std::string_view door_of(std::string_view note) {
  return note.substr(0, note.find(' '));
}
[[nodiscard]] inline std::string_view text_of_note(std::string_view note) {
  const size_t space = note.find(' ');
  return space == note.npos ? std::string_view{} : note.substr(space + 1);
}

}  // namespace distributex
