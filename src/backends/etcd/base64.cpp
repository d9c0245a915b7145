// SPDX-License-Identifier: MIT
// Three bytes become four letters; '=' fills up the last group.
#include "backends/etcd/base64.h"

#include <cstdint>

namespace distributex {

namespace {

constexpr std::string_view letters =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

}  // namespace

std::string base64(std::string_view bytes) {
  std::string text;
  text.reserve((bytes.size() + 2) / 3 * 4);
  for (size_t i = 0; i < bytes.size(); i += 3) {
    const std::string_view group = bytes.substr(i, 3);
    uint32_t bits = 0;
    for (size_t j = 0; j < 3; j++) {
      bits = bits << 8 | (j < group.size() ? static_cast<unsigned char>(group[j]) : 0u);
    }
    for (size_t j = 0; j < 4; j++) {
      text += j <= group.size() ? letters[bits >> (18 - 6 * j) & 63] : '=';
    }
  }
  return text;
}

std::optional<std::string> from_base64(std::string_view text) {
  if (text.size() % 4 != 0) {
    return std::nullopt;
  }
  std::string bytes;
  bytes.reserve(text.size() / 4 * 3);
  for (size_t i = 0; i < text.size(); i += 4) {
    const bool is_last = i + 4 == text.size();
    size_t padding = 0;
    uint32_t bits = 0;
    for (const char c : text.substr(i, 4)) {
      const size_t value = letters.find(c);
      const bool is_padding = c == '=' && is_last;
      if (is_padding) {
        padding++;
      }
      if (is_padding ? padding > 2 : value == std::string_view::npos || padding > 0) {
        return std::nullopt;
      }
      bits = bits << 6 | (is_padding ? 0u : static_cast<uint32_t>(value));
    }
    for (size_t j = 0; j < 3 - padding; j++) {
      bytes += static_cast<char>(bits >> (16 - 8 * j) & 255);
    }
    if (padding > 0 && (bits & ((1u << 8 * padding) - 1)) != 0) {
      return std::nullopt;
    }
  }
  return bytes;
}

}  // namespace distributex
