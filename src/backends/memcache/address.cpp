// SPDX-License-Identifier: MIT
// The syntax of memcachehost, and how pools are spread over a list.
#include "backends/memcache/address.h"

#include <algorithm>
#include <optional>

#include "base/hash.h"
#include "base/text.h"

namespace distributex {

namespace {

std::optional<MemcacheAddress> with_port(std::string_view host, std::string_view port) {
  const auto number = parse_port(port);
  if (host.empty() || number.value_or(0) == 0) {
    return std::nullopt;
  }
  return MemcacheAddress{std::string(host), *number, {}};
}

std::optional<MemcacheAddress> parse_one(std::string_view text, uint16_t port) {
  if (text.starts_with("unix:")) {
    text.remove_prefix(5);
  }
  if (text.starts_with('/')) {
    return MemcacheAddress{{}, 0, std::string(text)};
  }
  if (text.starts_with('[')) {
    const auto close = text.find(']');
    if (close == std::string_view::npos || close == 1) {
      return std::nullopt;
    }
    const auto host = text.substr(1, close - 1);
    const auto rest = text.substr(close + 1);
    if (rest.empty()) {
      return MemcacheAddress{std::string(host), port, {}};
    }
    return rest.front() == ':' ? with_port(host, rest.substr(1)) : std::nullopt;
  }
  const auto colon = text.find(':');
  const bool bare = colon == std::string_view::npos || colon != text.rfind(':');  // name or IPv6
  if (!bare) {
    return with_port(text.substr(0, colon), text.substr(colon + 1));
  }
  if (text.empty() || text.find_first_of(" \t]/") != std::string_view::npos) {
    return std::nullopt;
  }
  return MemcacheAddress{std::string(text), port, {}};
}

}  // namespace

std::variant<std::vector<MemcacheAddress>, std::string> parse_memcache_hosts(std::string_view text,
                                                                             uint32_t port) {
  std::vector<MemcacheAddress> all;
  for (size_t from = 0; from <= text.size();) {
    const auto comma = std::min(text.find(',', from), text.size());
    const auto part = trimmed(text.substr(from, comma - from));
    const auto address = parse_one(part, static_cast<uint16_t>(port));
    if (!address) {
      return std::string(part);
    }
    all.push_back(*address);
    from = comma + 1;
  }
  return all;
}

std::string address_name(const MemcacheAddress& address) {
  if (!address.path.empty()) {
    return address.path;
  }
  const bool v6 = address.host.find(':') != std::string::npos;
  return (v6 ? "[" + address.host + "]" : address.host) + ":" + std::to_string(address.port);
}

size_t server_of(std::string_view pool, size_t servers) {
  return static_cast<size_t>(name_hash(pool) % servers);
}

}  // namespace distributex
