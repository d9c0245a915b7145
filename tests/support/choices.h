// SPDX-License-Identifier: MIT
// Where a random walk takes its decisions from: a seeded generator, or bytes
// that somebody has laid down (a fuzzer), until there are no more.
#pragma once

#include <cstddef>
#include <cstdint>
#include <random>
#include <string_view>

namespace distributex::test {

class Choices {
 public:
  explicit Choices(uint64_t seed) : random_(seed) {}
  explicit Choices(std::string_view bytes) : bytes_(bytes), from_bytes_(true) {}

  // Whether there is anything left to decide with.
  [[nodiscard]] bool any() const { return !from_bytes_ || !bytes_.empty(); }

  // 0 to n - 1. Of bytes it takes one, or two when n needs them; then it is 0.
  uint64_t below(uint64_t n) {
    if (!from_bytes_) {
      return random_() % n;
    }
    uint64_t value = 0;
    for (uint64_t reach = 1; reach < n && !bytes_.empty(); reach <<= 8) {
      value = value << 8 | static_cast<unsigned char>(bytes_.front());
      bytes_.remove_prefix(1);
    }
    return value % n;
  }
  bool once_in(uint64_t n) { return below(n) == 0; }

 private:
  std::mt19937_64 random_;
  std::string_view bytes_;
  bool from_bytes_ = false;
};

}  // namespace distributex::test
