// SPDX-License-Identifier: MIT
// An IPv4 address and the IPv6 address that it is mapped to are the same peer.
#include "http/peers.h"

#include <netinet/in.h>
#include <sys/socket.h>

#include <algorithm>
#include <cstring>
#include <optional>
#include <string_view>

namespace distributex {

namespace {

constexpr size_t network_bytes = 8;  // of an IPv6 address

std::optional<PeerKey> key_of(const sockaddr* address) {
  PeerKey key{};
  if (address->sa_family == AF_INET) {
    sockaddr_in v4{};
    std::memcpy(&v4, address, sizeof v4);
    key[10] = key[11] = 0xff;
    std::memcpy(&key[12], &v4.sin_addr, sizeof v4.sin_addr);
    return key;
  }
  if (address->sa_family != AF_INET6) {
    return std::nullopt;
  }
  sockaddr_in6 v6{};
  std::memcpy(&v6, address, sizeof v6);
  std::memcpy(key.data(), &v6.sin6_addr, key.size());
  if (!IN6_IS_ADDR_V4MAPPED(&v6.sin6_addr)) {
    std::fill(key.begin() + network_bytes, key.end(), 0);
  }
  return key;
}

}  // namespace

size_t PeerHash::operator()(const PeerKey& key) const {
  return std::hash<std::string_view>{}({reinterpret_cast<const char*>(key.data()), key.size()});
}

Peers::Peer* Peers::enter(const sockaddr* address) {
  const std::optional<PeerKey> key = key_of(address);
  if (!key) {
    return nullptr;
  }
  Peer& peer = *peers_.try_emplace(*key, 0).first;
  ++peer.second;
  return &peer;
}

void Peers::leave(Peer* peer) {
  if (peer && --peer->second == 0) {
    peers_.erase(peer->first);
  }
}

}  // namespace distributex
