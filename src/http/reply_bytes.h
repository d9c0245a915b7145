// SPDX-License-Identifier: MIT
// A buffer for the bytes of a reply. Its memory is kept for the next reply.
#pragma once

#include <algorithm>
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>
#include <vector>

namespace distributex {

class ReplyBytes {
 public:
  ReplyBytes() : bytes_(first_room) {}

  void clear() { size_ = 0; }
  // Inlined: for a constant text the compiler makes a few stores of it.
  void add(std::string_view text) {
    make_room(text.size());
    std::memcpy(bytes_.data() + size_, text.data(), text.size());
    size_ += text.size();
  }
  void add_number(uint64_t number) {
    make_room(digits);
    char* begin = bytes_.data() + size_;
    size_ += static_cast<size_t>(std::to_chars(begin, begin + digits, number).ptr - begin);
  }
  [[nodiscard]] std::string_view view() const { return {bytes_.data(), size_}; }

 private:
  static constexpr size_t first_room = 1024;
  static constexpr size_t digits = 20;  // of a number

  void make_room(size_t more) {
    if (bytes_.size() - size_ < more) {
      grow(more);
    }
  }
  [[gnu::noinline]] void grow(size_t more) {
    bytes_.resize(std::max(2 * bytes_.size(), size_ + more));
  }

  std::vector<char> bytes_;
  size_t size_ = 0;
};

}  // namespace distributex
