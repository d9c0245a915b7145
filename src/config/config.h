// SPDX-License-Identifier: MIT
// A configuration: of each option that rooms have declared, the value that the
// file gives or the default. The walk through the file and its errors are here,
// but no option: which there are is told by whoever reads a file.
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

  // A room's struct with the values of its options; other members stay.
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

  // In the order in which options are declared, one for each.
  std::vector<Entry> entries;
};

// What an error and a message show of a value: a list with commas between.
[[nodiscard]] std::string text_of(const Value& value);

// The whole file, or one error "FILE:LINE:COLUMN: what is wrong; what would be
// right" (FILE: reason, when it cannot be read). The errors of a file are
// found in the order in which they stand.
[[nodiscard]] std::variant<Config, std::string> load_config(const std::string& file,
                                                            const std::vector<OptionRows>& rooms);

// The same from text; `file` only names it in errors.
[[nodiscard]] std::variant<Config, std::string> parse_config(std::string_view text,
                                                             const std::string& file,
                                                             const std::vector<OptionRows>& rooms);

}  // namespace distributex
