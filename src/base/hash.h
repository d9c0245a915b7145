// SPDX-License-Identifier: MIT
// A hash of names that is the same in every build, version and process.
#pragma once

#include <cstdint>
#include <string_view>

namespace distributex {

// FNV-1a with 64 bits (RFC 9923). It must never change: servers of different versions
// choose the memcached of a pool by it, and clients choose their lock file by it.
[[nodiscard]] constexpr uint64_t name_hash(std::string_view name) {
  uint64_t hash = 0xcbf29ce484222325;
  for (const char c : name) {
    hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3;
  }
  return hash;
}

}  // namespace distributex
