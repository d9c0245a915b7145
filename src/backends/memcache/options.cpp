// SPDX-License-Identifier: MIT
// The backend reads its options once, when it is made. A reload does not change them: the
// backend would look for its leases in the wrong place.
#include "backends/memcache/options.h"

#include "backends/makers.h"
#include "backends/memcache/address.h"
#include "backends/memcache/key.h"
#include "base/text.h"
#include "config/slot.h"

namespace distributex {
namespace {

std::string check_hosts(std::string_view text) {
  const auto servers = parse_memcache_hosts(text, 1);
  const auto* part = std::get_if<std::string>(&servers);
  return part ? in_quotes(*part) + " is no address of a memcached" : std::string{};
}

std::string check_prefix(std::string_view text) {
  if (is_sound_prefix(text)) {
    return {};
  }
  return in_quotes(text) + " has other characters than a key may have";
}

static_assert(memcache_prefix_max == 64, "the row says so in words");

// clang-format off
constexpr Option rows[] = {
    // options begin
    {"memcachehost", text<&MemcacheOptions::hosts>(1, 1024,
         "one or more of HOST, HOST:PORT, [V6ADDRESS]:PORT and /PATH, with commas between",
         check_hosts),
     "localhost", Reload::needs_restart, "where memcached is"},
    {"memcacheport", number<&MemcacheOptions::port>(1, 65535), "11211", Reload::needs_restart,
     "the port of those of memcachehost that have none"},
    {"memcacheprefix", text<&MemcacheOptions::prefix>(0, memcache_prefix_max,
         "at most 64 letters, digits and . _ - : %", check_prefix),
     "distributex:", Reload::needs_restart, "in front of all keys in memcached"},
    {"memcachetimeout", in_milliseconds<&MemcacheOptions::timeout>(100, 60000), "2000",
     Reload::needs_restart, "for memcached to answer a question"},
    {"poll", in_milliseconds<&MemcacheOptions::poll>(10, 60000), "100", Reload::needs_restart,
     "between two looks at a full pool"},
    // options end
};
// clang-format on

}  // namespace

OptionRows memcache_options() { return rows; }

}  // namespace distributex
