// SPDX-License-Identifier: MIT
// The note that is kept with a lease: the name of the door through which the lease came,
// and a text that this door needs later. It is empty for the plain door.
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
