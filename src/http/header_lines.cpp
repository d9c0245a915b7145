// SPDX-License-Identifier: MIT
// Each answer comes through here: a line is put together without a copy in between.
#include "http/header_lines.h"

#include <algorithm>
#include <charconv>
#include <cstring>

#include "base/log.h"
#include "base/text.h"

namespace distributex {

namespace {

constexpr std::string_view between = ": ";
constexpr std::string_view line_end = "\r\n";

bool ends_line(char c) {
  return static_cast<unsigned char>(c) <= '\r' && (c == '\r' || c == '\n' || c == '\0');
}

}  // namespace

void HeaderLines::add(std::string_view name, std::string_view value) {
  if (std::any_of(value.begin(), value.end(), ends_line)) {
    return log_line(Level::error, "reply header refused name=%.*s", static_cast<int>(name.size()),
                    name.data());
  }
  add_line(name, value);
}

void HeaderLines::add(std::string_view name, uint64_t number) {
  std::array<char, 20> digits;
  const char* end = std::to_chars(digits.begin(), digits.end(), number).ptr;
  add_line(name, {digits.data(), static_cast<size_t>(end - digits.data())});
}

void HeaderLines::add_line(std::string_view name, std::string_view value) {
  char* to = room_for(name.size() + between.size() + value.size() + line_end.size());
  std::memcpy(to, name.data(), name.size());
  to += name.size();
  std::memcpy(to, between.data(), between.size());
  to += between.size();
  std::memcpy(to, value.data(), value.size());
  to += value.size();
  std::memcpy(to, line_end.data(), line_end.size());
}

char* HeaderLines::room_for(size_t bytes) {
  if (more_.empty() && bytes <= own_.size() - size_) {
    char* room = own_.data() + size_;
    size_ += bytes;
    return room;
  }
  if (more_.empty()) {
    more_.assign(own_.data(), size_);
  }
  const size_t before = more_.size();
  more_.resize(before + bytes);
  return more_.data() + before;
}

bool take_header(std::string_view& text, Header& header) {
  if (text.empty()) {
    return false;
  }
  header.value = take_until('\n', text);
  header.value.remove_suffix(1);  // the other half of the line's end
  header.name = take_until(':', header.value);
  header.value.remove_prefix(1);
  return true;
}

}  // namespace distributex
