// SPDX-License-Identifier: MIT
// Make the column `slot` of an option's row: number<&Limits::most>(1, 10). They are
// templates so that no row can pair a member with a rule of another type.
#pragma once

#include <chrono>

#include "config/option.h"

namespace distributex {

template <auto member>
struct Member;
template <typename Owner, typename Kind, Kind Owner::*member>
struct Member<member> {
  using Room = Owner;
  static Kind& in(void* room) { return static_cast<Owner*>(room)->*member; }
};

template <auto member, typename From, typename As = From>
void put(void* room, const Value& value) {
  if (const auto* from = std::get_if<From>(&value.is)) {
    Member<member>::in(room) = As(*from);
  }
}
template <auto member>
void put_flag(void* room, const Value& value) {
  const auto* word = std::get_if<std::string>(&value.is);
  if (word) {
    Member<member>::in(room) = *word == "on";
  }
}
template <auto member, const Items& items>
void put_maps(void* room, const Value& value) {
  const auto* maps = std::get_if<std::vector<std::vector<Value>>>(&value.is);
  for (size_t at = 0; maps && at < maps->size(); ++at) {
    auto& element = Member<member>::in(room).emplace_back();
    const std::vector<Value>& values = (*maps)[at];
    for (size_t i = 0; i < values.size(); ++i) {
      items.rows[i].slot.put(&element, values[i]);
    }
  }
}

template <auto member, auto put_value>
constexpr Slot slot_with(const Rule& rule) {
  return {rule, room_of<typename Member<member>::Room>(), put_value};
}
template <auto member, typename From, typename As = From>
constexpr Slot slot(const Rule& rule) {
  return slot_with<member, put<member, From, As>>(rule);
}

template <auto member, typename As = uint32_t>
constexpr Slot number(uint32_t least, uint32_t most, const char* unit = "") {
  return slot<member, uint32_t, As>(
      {.kind = Rule::Kind::number, .least = least, .most = most, .unit = unit});
}
template <auto member>
constexpr Slot in_seconds(uint32_t least, uint32_t most) {
  return number<member, std::chrono::seconds>(least, most, "seconds");
}
template <auto member>
constexpr Slot in_milliseconds(uint32_t least, uint32_t most) {
  return number<member, std::chrono::milliseconds>(least, most, "milliseconds");
}

template <auto member>
constexpr Slot word(std::span<const std::string_view> (*words)()) {
  return slot<member, std::string>({.kind = Rule::Kind::word, .words = words});
}

// "on" or "off" in the file, a bool in the struct.
inline std::span<const std::string_view> on_and_off() {
  static constexpr std::string_view words[] = {"on", "off"};
  return words;
}
template <auto member>
constexpr Slot flag() {
  return slot_with<member, put_flag<member>>({.kind = Rule::Kind::word, .words = on_and_off});
}

// Errors ask for "a text of LEAST to MOST bytes" unless `wanted` says more.
template <auto member>
constexpr Slot text(uint32_t least, uint32_t most, const char* wanted = nullptr,
                    std::string (*check)(std::string_view) = nullptr) {
  return slot<member, std::string>(
      {.kind = Rule::Kind::text, .least = least, .most = most, .check = check, .wanted = wanted});
}

// One text, or a list of different texts. `rule` must have item, items, most and wanted; it
// may have check.
template <auto member>
constexpr Slot list(Rule rule) {
  rule.kind = Rule::Kind::list;
  return slot<member, std::vector<std::string>>(rule);
}

// Host names with commas between them, or a list of such texts. The member has each name
// once, sorted.
template <auto member>
constexpr Slot hosts(const char* wanted) {
  return slot<member, std::vector<std::string>>({.kind = Rule::Kind::hosts, .wanted = wanted});
}

// A list of maps. The vector that `member` names gets one element for each map.
template <auto member, const Items& items>
constexpr Slot maps(const char* wanted) {
  return slot_with<member, put_maps<member, items>>(
      {.kind = Rule::Kind::maps, .wanted = wanted, .maps = &items});
}

}  // namespace distributex
