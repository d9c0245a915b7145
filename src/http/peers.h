// SPDX-License-Identifier: MIT
// How many connections each peer has: one peer is an IPv4 address, or an IPv6
// network of 64 bits, of which a single host has all. Belongs to http.cpp.
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
  using Peer = std::pair<const PeerKey, uint32_t>;  // and its connections

  // One connection more; it is counted until leave(). Nothing for a peer that
  // has no address, on a unix socket: those are not counted.
  [[nodiscard]] Peer* enter(const sockaddr* address);
  void leave(Peer* peer);

 private:
  std::unordered_map<PeerKey, uint32_t, PeerHash> peers_;
};

}  // namespace distributex
