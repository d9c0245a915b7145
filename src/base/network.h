// SPDX-License-Identifier: MIT
// IP addresses and networks as bytes. An IPv4 address is kept as the IPv6 address that it is
// mapped to, so a client has the same address on an IPv4 and on an IPv6 socket.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace distributex {

using AddressBytes = std::array<uint8_t, 16>;

struct Network {
  AddressBytes address{};
  uint8_t bits = 128;  // of the prefix in the IPv6 form: 104 for 10.0.0.0/8
  bool operator==(const Network&) const = default;
};

// Reads "192.0.2.1" or "2001:db8::1", without a scope or a port.
[[nodiscard]] std::optional<AddressBytes> parse_address(std::string_view text);

// Reads an address, or a network "10.0.0.0/8" whose bits beyond the prefix are zero.
[[nodiscard]] std::optional<Network> parse_network(std::string_view text);

[[nodiscard]] bool contains(const Network& network, const AddressBytes& address);
[[nodiscard]] bool is_loopback(const AddressBytes& address);

[[nodiscard]] std::string to_text(const AddressBytes& address);
[[nodiscard]] std::string to_text(const Network& network);

}  // namespace distributex
