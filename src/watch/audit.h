// SPDX-License-Identifier: MIT
// The audit trail: an event as one line of the log in logfmt, key=value with spaces between
// them. A text that a client sent can forge neither a line nor a field.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>

#include "watch/events.h"

namespace distributex {

class AuditLine {
 public:
  explicit AuditLine(const LockEvent& event);
  [[nodiscard]] std::string_view text() const { return {bytes_.data(), size_}; }

 private:
  // Inlined: for a constant key the compiler makes a few stores of it.
  void add(std::string_view text) {
    if (text.size() > bytes_.size() - size_) {
      return add_what_fits(text);
    }
    std::memcpy(bytes_.data() + size_, text.data(), text.size());
    size_ += text.size();
  }
  void add_whole(std::string_view key, uint64_t number) {
    add(key);
    add_digits(number);
  }
  void add_seconds(std::string_view key, Duration duration) {
    add(key);
    add_duration(duration);
  }
  void add_text(std::string_view key, std::string_view value) {
    add(key);
    add_value(value);
  }
  void add_what_fits(std::string_view text);
  void add_digits(uint64_t number);
  void add_duration(Duration duration);
  void add_time(uint64_t wall_us);
  void add_milliseconds(uint64_t ms);  // 0 to 999, with the point before them
  // Puts a value that has other than harmless characters into quotes. In the quotes every
  // such character but the space becomes \xHH, also the equals sign: so no part of a value
  // looks like a field, even to a reader who splits the line at spaces.
  void add_value(std::string_view value);

  std::array<char, 4096> bytes_;  // room for three names of 255 bytes, all escaped
  size_t size_ = 0;
};

}  // namespace distributex
