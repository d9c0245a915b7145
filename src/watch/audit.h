// SPDX-License-Identifier: MIT
// The audit trail: an event as one line of the log in logfmt, key=value with a
// space between. What came from outside can forge neither a line nor a field.
#pragma once

#include <array>
#include <cstddef>
#include <string_view>

#include "watch/events.h"

namespace distributex {

class AuditLine {
 public:
  explicit AuditLine(const LockEvent& event);
  [[nodiscard]] std::string_view text() const { return {bytes_.data(), size_}; }

 private:
  void add(std::string_view text);
  void add_whole(std::string_view key, uint64_t number);
  void add_seconds(std::string_view key, Duration duration);
  // A value with anything but harmless characters stands in quotes, the bytes
  // that would break a line or a quote as \xHH. So does the equals sign: not
  // even to a reader who splits at spaces does a value look like a field.
  void add_text(std::string_view key, std::string_view value);

  std::array<char, 4096> bytes_;  // room for three names of 255 bytes, all escaped
  size_t size_ = 0;
};

}  // namespace distributex
