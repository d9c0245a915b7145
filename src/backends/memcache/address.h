// SPDX-License-Identifier: MIT
// The option memcachehost as a list of addresses, and which memcached has the keys of a
// pool. Pure; resolves no name.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace distributex {

// A host and a port, or the path of a unix socket.
struct MemcacheAddress {
  std::string host;
  uint16_t port = 0;
  std::string path;
  bool operator==(const MemcacheAddress&) const = default;
};

// "localhost", "10.0.0.1:11212,[::1]:11213", "/run/memcached.sock": one or
// more addresses, comma-separated; `port` is for those without one. Returns the
// addresses, or the first part that is no address.
[[nodiscard]] std::variant<std::vector<MemcacheAddress>, std::string> parse_memcache_hosts(
    std::string_view text, uint32_t port);

// The address for log lines and reasons: "127.0.0.1:11211", "[::1]:11211".
[[nodiscard]] std::string address_name(const MemcacheAddress& address);

// The index of the memcached that has all keys of a pool: the same in every process whose
// list has as many servers.
[[nodiscard]] size_t server_of(std::string_view pool, size_t servers);

}  // namespace distributex
