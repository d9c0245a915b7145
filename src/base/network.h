// SPDX-License-Identifier: MIT
// IP addresses and networks as bytes. An IPv4 address is the IPv6 one that it is
// mapped to, so a client is the same whichever socket it came by.
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
  uint8_t bits = 128;  // of the mapped form: 10.0.0.0/8 has 104
  bool operator==(const Network&) const = default;
};

// "192.0.2.1", "2001:db8::1", without a scope and a port.
[[nodiscard]] std::optional<AddressBytes> parse_address(std::string_view text);

// An address, or a network "10.0.0.0/8" whose bits beyond the prefix are zero.
[[nodiscard]] std::optional<Network> parse_network(std::string_view text);

[[nodiscard]] bool contains(const Network& network, const AddressBytes& address);
[[nodiscard]] bool is_loopback(const AddressBytes& address);

[[nodiscard]] std::string to_text(const AddressBytes& address);
[[nodiscard]] std::string to_text(const Network& network);

}  // namespace distributex
