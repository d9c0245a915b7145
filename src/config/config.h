// SPDX-License-Identifier: MIT
// A configuration: the value of each declared option, from the file or the default. This
// file reads a configuration and reports its errors, but knows no option: the caller passes
// the rows of all rooms (config/option.h).
#pragma once

#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "config/option.h"

namespace distributex {

class Config {
 public:
  struct Entry {
    const Option* option;
    Value value;
  };

  // Stores the values of the room's options in its struct; other members keep their values.
  template <typename Room>
  void apply(Room& room) const {
    for (const Entry& entry : entries) {
      if (entry.option->slot.room == room_of<Room>()) {
        entry.option->slot.put(&room, entry.value);
      }
    }
  }
  template <typename Room>
  [[nodiscard]] Room read() const {
    Room room{};
    apply(room);
    return room;
  }

  // One for each option, in the order in which the options are declared.
  std::vector<Entry> entries;
};

// The value as errors and messages show it: a list has commas between its items.
[[nodiscard]] std::string text_of(const Value& value);

// Returns the whole file, or its first error: "FILE:LINE:COLUMN: what is wrong; what would
// be right", or "FILE: reason" if it cannot be read.
[[nodiscard]] std::variant<Config, std::string> load_config(const std::string& file,
                                                            const std::vector<OptionRows>& rooms);

// The same for a text; `file` is only the name in errors.
[[nodiscard]] std::variant<Config, std::string> parse_config(std::string_view text,
                                                             const std::string& file,
                                                             const std::vector<OptionRows>& rooms);

}  // namespace distributex
