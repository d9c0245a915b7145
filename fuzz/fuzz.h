// SPDX-License-Identifier: MIT
// What the fuzz targets share: must() ends the run with a sentence if a promise is broken,
// and bytes are turned into values. libFuzzer calls each target's one function.
#pragma once

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <string>
#include <string_view>

#include "base/text.h"

// The name is libFuzzer's. NOLINTNEXTLINE(readability-identifier-naming)
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size);

namespace distributex::fuzz {

inline void must(bool kept, const char* promise) {
  if (kept) {
    return;
  }
  fprintf(stderr, "broken: %s\n", promise);
  abort();
}

inline std::string_view text_of(const uint8_t* data, size_t size) {
  return {reinterpret_cast<const char*>(data), size};
}

// Takes so many bytes, or as many as there are, as one number.
inline uint64_t take_number(size_t bytes, std::string_view& rest) {
  uint64_t value = 0;
  for (; bytes > 0 && !rest.empty(); --bytes) {
    value = value << 8 | static_cast<unsigned char>(rest.front());
    rest.remove_prefix(1);
  }
  return value;
}

// Percent-encodes every byte, as a query may.
inline std::string encoded(std::string_view text) {
  std::string out;
  for (const char c : text) {
    char hex[4];
    snprintf(hex, sizeof hex, "%%%02x", static_cast<unsigned>(static_cast<unsigned char>(c)));
    out += hex;
  }
  return out;
}

inline bool is_printable(std::string_view text) {
  for (const char c : text) {
    if (c < 0x20 || c > 0x7e) {
      return false;
    }
  }
  return true;
}

}  // namespace distributex::fuzz
