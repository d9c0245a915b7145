// SPDX-License-Identifier: MIT
// The keys of a pool in memcached: one for each slot, one for the counter of its tokens,
// one for the count of its failed runs. A key contains only letters, digits and . _ - : %,
// for in memcached's text protocol a space or line end begins something else. Pure.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace distributex {

inline constexpr size_t memcache_key_max = 250;    // bytes, memcached's own limit
inline constexpr size_t memcache_prefix_max = 64;  // bytes

// PREFIX POOL ":" SLOT. The pool's name is percent-encoded; a long one is cut, and ":" and
// a digest of the whole name are appended.
[[nodiscard]] std::string slot_key(std::string_view prefix, std::string_view pool, uint32_t slot);
[[nodiscard]] std::string counter_key(std::string_view prefix, std::string_view pool);
// The count of the pool's failed runs.
[[nodiscard]] std::string failures_key(std::string_view prefix, std::string_view pool);

// Whether the key is short enough and has no other characters.
[[nodiscard]] bool is_sound_key(std::string_view key);
[[nodiscard]] bool is_sound_prefix(std::string_view prefix);

// All bytes but letters, digits and . _ - as %XX; and back, false if malformed.
[[nodiscard]] std::string percent_encoded(std::string_view text);
[[nodiscard]] bool percent_decoded(std::string_view text, std::string& out);

}  // namespace distributex
