// SPDX-License-Identifier: MIT
// The headers of a reply in the form in which they are sent: "Name: value" and the end
// of the line, one behind the other. Those of an answer find room in the object itself;
// only more than that takes memory.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace distributex {

struct Header {
  std::string_view name;
  std::string_view value;
};

class HeaderLines {
 public:
  // A value that would end its line is refused: the log says so, and no line is added.
  void add(std::string_view name, std::string_view value);
  void add(std::string_view name, uint64_t number);
  [[nodiscard]] std::string_view text() const {
    return more_.empty() ? std::string_view{own_.data(), size_} : more_;
  }

 private:
  void add_line(std::string_view name, std::string_view value);
  [[nodiscard]] char* room_for(size_t bytes);

  size_t size_ = 0;            // of what is in own_
  std::array<char, 320> own_;  // not set before it is used
  std::string more_;           // all lines, when own_ is too small
};

// Takes the first header off such a text; false when there is none.
[[nodiscard]] bool take_header(std::string_view& text, Header& header);

}  // namespace distributex
