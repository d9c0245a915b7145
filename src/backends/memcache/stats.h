// SPDX-License-Identifier: MIT
// What memcached tells of itself: its version, its clock and the settings that leases
// depend on. Only this file and link.cpp call libmemcached.
#pragma once

#include <libmemcached/memcached.h>

#include <cstdint>
#include <string>
#include <string_view>

namespace distributex {

struct MemcacheStats {
  std::string version;
  int64_t time = 0;  // seconds since 1970, by memcached's clock
  bool evicts = false;
  bool keeps_cas = true;
};

// Reads a group of statistics ("settings"; nullptr: the general one) into stats.
[[nodiscard]] memcached_return_t read_stats(memcached_st* handle, const char* group,
                                            MemcacheStats& stats);

// Whether the version is older than 1.5.6, the oldest that was tested, or no version.
[[nodiscard]] bool is_old_version(std::string_view text);

// The version with all characters replaced that must not go into the log.
[[nodiscard]] std::string cleaned_version(std::string_view version);

}  // namespace distributex
