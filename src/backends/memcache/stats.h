// SPDX-License-Identifier: MIT
// What a memcached tells of itself: its version, its clock and the settings that
// leases depend on. One of the two files that call libmemcached.
#pragma once

#include <libmemcached/memcached.h>

#include <cstdint>
#include <string>
#include <string_view>

namespace distributex {

struct MemcacheStats {
  std::string version;
  int64_t time = 0;  // seconds since 1970, by its own clock
  bool evicts = false;
  bool keeps_cas = true;
};

// Adds what the group ("settings"; null: the general one) says to stats.
[[nodiscard]] memcached_return_t read_stats(memcached_st* handle, const char* group,
                                            MemcacheStats& stats);

// Older than what this was tested with (1.5.6); so is what is no version.
[[nodiscard]] bool is_old_version(std::string_view text);

// Only what a version is made of, for it will be logged.
[[nodiscard]] std::string cleaned_version(std::string_view version);

}  // namespace distributex
