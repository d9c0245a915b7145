// SPDX-License-Identifier: MIT
// Keys and the percent-encoding that keys and values share.
#include "backends/memcache/key.h"

#include <libhashkit-1.0/hashkit.h>

#include <algorithm>
#include <array>

namespace distributex {

namespace {

constexpr size_t pool_part_max = 150;  // bytes; with prefix and slot below memcache_key_max
constexpr char hex_digits[] = "0123456789ABCDEF";

bool is_plain(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' ||
         c == '_' || c == '-';
}

void add_hex(std::string& out, unsigned char byte) {
  out += hex_digits[byte >> 4];
  out += hex_digits[byte & 15];
}

int hex_value(char c) {
  if (c >= '0' && c <= '9') {
    return c - '0';
  }
  return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

// MD5 is good enough: administrators name pools, not adversaries.
std::string digest(std::string_view text) {
  std::array<unsigned char, 16> bytes{};
  const std::string copy(text);
  const void* data = copy.data();
  libhashkit_md5_signature(static_cast<const unsigned char*>(data), copy.size(), bytes.data());
  std::string out;
  for (const unsigned char byte : bytes) {
    add_hex(out, byte);
  }
  return out;
}

std::string pool_part(std::string_view pool) {
  std::string part = percent_encoded(pool);
  if (part.size() <= pool_part_max) {
    return part;
  }
  // A short name contains no ':' here, so it cannot equal a cut one.
  return part.substr(0, pool_part_max - 33) + ":" + digest(pool);
}

}  // namespace

std::string percent_encoded(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (is_plain(c)) {
      out += c;
    } else {
      out += '%';
      add_hex(out, static_cast<unsigned char>(c));
    }
  }
  return out;
}

bool percent_decoded(std::string_view text, std::string& out) {
  out.clear();
  for (size_t i = 0; i < text.size(); i++) {
    if (is_plain(text[i])) {
      out += text[i];
      continue;
    }
    if (text[i] != '%' || text.size() - i < 3) {
      return false;
    }
    const int high = hex_value(text[i + 1]);
    const int low = hex_value(text[i + 2]);
    if (high < 0 || low < 0) {
      return false;
    }
    out += static_cast<char>(high * 16 + low);
    i += 2;
  }
  return true;
}

std::string slot_key(std::string_view prefix, std::string_view pool, uint32_t slot) {
  return std::string(prefix) + pool_part(pool) + ":" + std::to_string(slot);
}

std::string counter_key(std::string_view prefix, std::string_view pool) {
  return std::string(prefix) + pool_part(pool) + ":token";
}

std::string failures_key(std::string_view prefix, std::string_view pool) {
  return std::string(prefix) + pool_part(pool) + ":failed";
}

bool is_sound_key(std::string_view key) {
  return !key.empty() && key.size() <= memcache_key_max &&
         std::all_of(key.begin(), key.end(),
                     [](char c) { return is_plain(c) || c == ':' || c == '%'; });
}

bool is_sound_prefix(std::string_view prefix) {
  return prefix.size() <= memcache_prefix_max && (prefix.empty() || is_sound_key(prefix));
}

}  // namespace distributex
