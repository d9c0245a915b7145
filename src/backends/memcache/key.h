// SPDX-License-Identifier: MIT
// The keys that a pool has in memcached: one for each slot and one for the
// counter of its tokens. Nothing but letters, digits and . _ - : % is in a key,
// for memcached's text protocol takes a space or a line end in it for more
// commands. Pure.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace distributex {

inline constexpr size_t memcache_key_max = 250;    // bytes, memcached's own limit
inline constexpr size_t memcache_prefix_max = 64;  // bytes

// PREFIX POOL ":" SLOT, the pool percent-encoded; a long one is cut and its
// digest put behind.
[[nodiscard]] std::string slot_key(std::string_view prefix, std::string_view pool, uint32_t slot);
[[nodiscard]] std::string counter_key(std::string_view prefix, std::string_view pool);
// The counter of its failed runs.
[[nodiscard]] std::string failures_key(std::string_view prefix, std::string_view pool);

// Whether memcached can be asked for it without harm.
[[nodiscard]] bool is_sound_key(std::string_view key);
[[nodiscard]] bool is_sound_prefix(std::string_view prefix);

// All but letters, digits and . _ - as %XX; and back, nothing when malformed.
[[nodiscard]] std::string percent_encoded(std::string_view text);
[[nodiscard]] bool percent_decoded(std::string_view text, std::string& out);

}  // namespace distributex
