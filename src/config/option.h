// SPDX-License-Identifier: MIT
// What an option of distributex.yaml is. A room declares its options as rows
// beside the struct that holds their values. A row says what may be written,
// what counts when nothing is written, and whether a reload changes it. Rows
// are constant data; config/slot.h makes their middle column from a member.
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

// What the file, or else the default, says of one option. A list of maps has
// for each map the values of its rows, in their order. Nothing: an empty default.
struct Value {
  std::variant<std::monostate, uint32_t, std::string, std::vector<std::string>,
               std::vector<std::vector<Value>>>
      is;
  friend bool operator==(const Value& a, const Value& b) { return a.is == b.is; }
};

// The maps of a list. The first row is the name of a map: where names are distinct,
// no two of the list may have the same.
struct Items {
  const char* noun;  // of one map: "pool"
  OptionRows rows;
  // Checks what no row can see alone. Returns the first map that is wrong, by its place,
  // and why; an empty text: all is well.
  std::pair<size_t, std::string> (*check)(std::span<const std::vector<Value>> maps) = nullptr;
  bool distinct = true;  // else the first row is as others are
};

// What may be written.
struct Rule {
  enum class Kind { number, word, text, list, hosts, maps };
  Kind kind;
  uint32_t least = 0;     // of the number itself, of a text in bytes
  uint32_t most = 0;      // also: of a list, items
  const char* unit = "";  // of a number
  std::span<const std::string_view> (*words)() = nullptr;
  const char* item = "a text";  // of a list, in errors; and several of them
  const char* items = "texts";
  // Checks a text, or each item of a list, further. Returns what is wrong,
  // beginning with the text in quotes; empty: it is sound.
  std::string (*check)(std::string_view text) = nullptr;
  const char* wanted = nullptr;  // what would be right, after "write "
  const Items* maps = nullptr;
};

// Tells the struct of one room from that of another.
template <typename Room>
struct RoomMark {
  static constexpr char here = 0;
};
template <typename Room>
constexpr const void* room_of() {
  return &RoomMark<Room>::here;
}

// A rule, and where the value goes: into a member of a struct, the room.
struct Slot {
  Rule rule;
  const void* room;  // room_of<its struct>()
  void (*put)(void* room, const Value& value);
};

enum class Reload { takes_effect, needs_restart };

struct Option {
  const char* name;
  Slot slot;
  const char* fallback;  // as it would stand in the file; null: must be given
  Reload reload;
  const char* help;  // one line
};

}  // namespace distributex
