// SPDX-License-Identifier: MIT
// Clients read all members as texts and Created as a time. A member that is no text is
// refused, and a Created that is no time is not kept: a client could not read it.
#include "doors/terraform/info.h"

#include <array>
#include <cstdio>
#include <ctime>
#include <utility>

#include "base/json.h"
#include "base/text.h"
#include "doors/json_body.h"
#include "doors/query.h"
#include "lock/note.h"

namespace distributex {

namespace {

constexpr std::string_view door_name = "terraform";
constexpr size_t text_max = note_max - door_name.size() - 1;

struct Member {
  const char* name;
  std::string LockInfo::*text;
};

constexpr std::array members = {
    Member{"ID", &LockInfo::id},           Member{"Operation", &LockInfo::operation},
    Member{"Info", &LockInfo::info},       Member{"Who", &LockInfo::who},
    Member{"Version", &LockInfo::version}, Member{"Created", &LockInfo::created},
    Member{"Path", &LockInfo::path},
};

// The members that note_of() empties, in this order, if the note is too long.
constexpr std::array spare = {&LockInfo::info, &LockInfo::path, &LockInfo::version,
                              &LockInfo::operation, &LockInfo::who};

// YYYY-MM-DDTHH:MM:SS, then at most nine decimals, then Z or +HH:MM.
bool is_rfc3339(std::string_view text) {
  constexpr std::string_view shape = "0000-00-00T00:00:00";
  const auto fits = [](std::string_view part, std::string_view like) {
    for (size_t i = 0; i < like.size(); ++i) {
      if (like[i] == '0' ? !is_digit(part[i]) : part[i] != like[i]) {
        return false;
      }
    }
    return true;
  };
  if (text.size() < shape.size() + 1 || text.size() > 35 || !fits(text, shape)) {
    return false;
  }
  const auto number = [&](size_t at) { return (text[at] - '0') * 10 + text[at + 1] - '0'; };
  constexpr int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
  const int month = number(5);
  if (month < 1 || month > 12 || number(8) < 1 || number(8) > days[month - 1] || number(11) > 23 ||
      number(14) > 59 || number(17) > 59) {
    return false;
  }
  text.remove_prefix(shape.size());
  if (text.front() == '.') {
    const size_t end = text.find_first_not_of("0123456789", 1);
    if (end == text.npos || end < 2 || end > 10) {
      return false;
    }
    text.remove_prefix(end);
  }
  return text == "Z" || (text.size() == 6 && (fits(text, "+00:00") || fits(text, "-00:00")) &&
                         (text[1] < '2' || (text[1] == '2' && text[2] < '4')) && text[4] < '6');
}

std::variant<LockInfo, std::string> info_from(const json_t* object) {
  LockInfo info;
  for (const Member& member : members) {
    const json_t* value = json_object_get(object, member.name);
    if (value && !json_is_string(value) && !json_is_null(value)) {
      return std::string("\"") + member.name + "\" is no text";
    }
    info.*member.text = text_member(object, member.name).value_or("");
  }
  if (info.id.empty()) {
    return "there is no \"ID\", a text that is not empty";
  }
  if (const char* reason = unsound_name(info.id)) {
    return std::string("the ID ") + reason;
  }
  if (!is_rfc3339(info.created)) {
    info.created.clear();
  }
  return info;
}

}  // namespace

std::variant<LockInfo, std::string> read_lock_info(std::string_view body) {
  auto read = read_json_object(body);
  if (auto* complaint = std::get_if<std::string>(&read)) {
    return std::move(*complaint);
  }
  return info_from(std::get<Json>(read).get());
}

std::string lock_info_json(const LockInfo& info) {
  const Json json{json_object()};
  for (const Member& member : members) {
    json_object_set_new(json.get(), member.name, json_text(info.*member.text));
  }
  return json_line(json.get());
}

Owner owner_of(const LockInfo& info) {
  const size_t at = info.who.rfind('@');
  Owner owner{.host = at == info.who.npos ? "" : info.who.substr(at + 1), .id = info.id};
  if (unsound_name(owner.host)) {
    owner.host = door_name;
  }
  return owner;
}

std::string note_of(LockInfo info) {
  std::string text = lock_info_json(info);
  for (const auto member : spare) {
    if (text.size() <= text_max) {
      break;
    }
    (info.*member).clear();
    text = lock_info_json(info);
  }
  return make_note(door_name, text);
}

LockInfo info_of(const Owner& owner, Token token, std::string_view note, Duration held,
                 uint64_t wall_us) {
  const auto held_us = std::chrono::duration_cast<std::chrono::microseconds>(held).count();
  const std::string since = rfc3339(wall_us - static_cast<uint64_t>(held_us));
  if (door_of(note) == door_name) {
    auto read = read_lock_info(text_of_note(note));
    if (auto* info = std::get_if<LockInfo>(&read)) {
      if (info->created.empty()) {
        info->created = since;
      }
      return std::move(*info);
    }
  }
  return {.id = std::to_string(token),
          .operation = "held through Distributex",
          .info = "taken by " + (note.empty() ? "a client" : escaped(door_of(note), 32)),
          .who = owner.id.empty() ? owner.host : owner.host + "/" + owner.id,
          .version = {},
          .created = since,
          .path = {}};
}

std::string rfc3339(uint64_t wall_us) {
  const auto seconds = static_cast<std::time_t>(wall_us / 1'000'000);
  std::tm parts{};
  gmtime_r(&seconds, &parts);
  std::array<char, 40> text{};
  const size_t size = std::strftime(text.data(), text.size(), "%Y-%m-%dT%H:%M:%S", &parts);
  std::snprintf(text.data() + size, text.size() - size, ".%06u000Z",
                static_cast<unsigned>(wall_us % 1'000'000));
  return text.data();
}

}  // namespace distributex
