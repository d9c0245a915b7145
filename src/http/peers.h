// SPDX-License-Identifier: MIT
// How many connections each peer has. A peer is an IPv4 address, or an IPv6 network of 64
// bits, because one host may use all addresses of such a network. For Http (server.h) only.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <unordered_map>

struct sockaddr;

namespace distributex {

using PeerKey = std::array<unsigned char, 16>;

struct PeerHash {
  size_t operator()(const PeerKey& key) const;
};

class Peers {
 public:
  using Peer = std::pair<const PeerKey, uint32_t>;  // a peer and its number of connections

  // Counts one connection more, until leave(). Returns nullptr for a unix socket, which has
  // no address: its connections are not counted.
  [[nodiscard]] Peer* enter(const sockaddr* address);
  void leave(Peer* peer);

 private:
  std::unordered_map<PeerKey, uint32_t, PeerHash> peers_;
};

}  // namespace distributex
