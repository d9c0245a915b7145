// SPDX-License-Identifier: MIT
// An option of distributex.yaml. A room is a part of the program with options of its own:
// it declares them as rows beside the struct that holds their values. A row says which
// values are allowed, what the default is, and whether a reload changes the value. Rows are
// constant data; config/slot.h makes the column `slot` from a member of the struct.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace distributex {

struct Option;
using OptionRows = std::span<const Option>;

// The value of one option, from the file or the default. A list of maps has, for each map,
// the values of its rows in their order. monostate: the default is empty.
struct Value {
  std::variant<std::monostate, uint32_t, std::string, std::vector<std::string>,
               std::vector<std::vector<Value>>>
      is;
  friend bool operator==(const Value& a, const Value& b) { return a.is == b.is; }
};

// The maps of a list. If `distinct`, the first row is the name of a map, and no two maps of
// the list may have the same name.
struct Items {
  const char* noun;  // what one map is called: "pool"
  OptionRows rows;
  // Checks all maps together. Returns the index of the first map that is wrong, and why; an
  // empty text: all maps are sound.
  std::pair<size_t, std::string> (*check)(std::span<const std::vector<Value>> maps) = nullptr;
  bool distinct = true;
};

// The values that are allowed.
struct Rule {
  enum class Kind { number, word, text, list, hosts, maps };
  Kind kind;
  uint32_t least = 0;     // number: its least value; text: its least bytes
  uint32_t most = 0;      // number: its greatest value; text: its most bytes; list: its most items
  const char* unit = "";  // number
  std::span<const std::string_view> (*words)() = nullptr;
  const char* item = "a text";  // list: what errors call one item, and several items
  const char* items = "texts";
  // A further check of a text, or of each item of a list. Returns what is wrong, beginning
  // with the text in quotes; empty: the text is sound.
  std::string (*check)(std::string_view text) = nullptr;
  const char* wanted = nullptr;  // what would be right, after "write "
  const Items* maps = nullptr;
};

// Its address identifies the struct of a room.
template <typename Room>
struct RoomMark {
  static constexpr char here = 0;
};
template <typename Room>
constexpr const void* room_of() {
  return &RoomMark<Room>::here;
}

// A rule, and the member of a room's struct that gets the value.
struct Slot {
  Rule rule;
  const void* room;  // room_of() of the struct
  void (*put)(void* room, const Value& value);
};

enum class Reload { takes_effect, needs_restart };

struct Option {
  const char* name;
  Slot slot;
  const char* fallback;  // the default as it would stand in the file; nullptr: must be given
  Reload reload;
  const char* help;  // one line
};

}  // namespace distributex
