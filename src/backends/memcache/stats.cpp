// SPDX-License-Identifier: MIT
#include "backends/memcache/stats.h"

#include <algorithm>
#include <cctype>
#include <charconv>

namespace distributex {

namespace {

constexpr int oldest_tested = 1'005'006;  // 1.5.6

memcached_return_t on_stat(const memcached_instance_st*, const char* name, size_t name_size,
                           const char* value, size_t value_size, void* context) noexcept {
  MemcacheStats& stats = *static_cast<MemcacheStats*>(context);
  const std::string_view key(name, name_size);
  const std::string_view text(value, value_size);
  if (key == "version") {
    stats.version = text;
  }
  if (key == "evictions") {
    stats.evicts = text == "on";
  }
  if (key == "cas_enabled") {
    stats.keeps_cas = text == "yes";
  }
  if (key == "time") {
    std::from_chars(text.data(), text.data() + text.size(), stats.time);
  }
  return MEMCACHED_SUCCESS;
}

// "1.6.18" as 1006018; 0 if the text is no version.
int version_number(std::string_view text) {
  int number = 0;
  for (int part = 0; part < 3; part++) {
    int value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc{} || value < 0 || value > 999) {
      return 0;
    }
    number = number * 1000 + value;
    text.remove_prefix(static_cast<size_t>(end - text.data()));
    if (text.starts_with('.')) {
      text.remove_prefix(1);
    }
  }
  return number;
}

}  // namespace

memcached_return_t read_stats(memcached_st* handle, const char* group, MemcacheStats& stats) {
  return memcached_stat_execute(handle, group, on_stat, &stats);
}

bool is_old_version(std::string_view text) { return version_number(text) < oldest_tested; }

std::string cleaned_version(std::string_view version) {
  std::string text(version.substr(0, 32));
  std::replace_if(
      text.begin(), text.end(),
      [](char c) { return !std::isalnum(static_cast<unsigned char>(c)) && c != '.' && c != '-'; },
      '?');
  return text;
}
}  // namespace distributex
