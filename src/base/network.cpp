// SPDX-License-Identifier: MIT
#include "base/network.h"

#include <arpa/inet.h>

#include <algorithm>

#include "base/text.h"

namespace distributex {

namespace {

constexpr Network mapped_v4{{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 0, 0, 0, 0}, 96};
constexpr Network loopback_v4{{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 127, 0, 0, 0}, 104};
constexpr Network loopback_v6{{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1}, 128};

}  // namespace

std::optional<AddressBytes> parse_address(std::string_view text) {
  const std::string copy{text};
  if (copy.size() != text.size() || copy.find('\0') != std::string::npos) {
    return std::nullopt;
  }
  AddressBytes bytes{};
  if (inet_pton(AF_INET6, copy.c_str(), bytes.data()) == 1) {
    return bytes;
  }
  bytes = mapped_v4.address;
  if (inet_pton(AF_INET, copy.c_str(), bytes.data() + 12) == 1) {
    return bytes;
  }
  return std::nullopt;
}

std::optional<Network> parse_network(std::string_view text) {
  const size_t slash = text.find('/');
  const std::string_view host = text.substr(0, slash);
  const auto address = parse_address(host);
  if (!address) {
    return std::nullopt;
  }
  Network network{.address = *address};
  if (slash == std::string_view::npos) {
    return network;
  }
  const auto bits = parse_whole<uint8_t>(text.substr(slash + 1));
  const uint8_t before = host.find(':') == std::string_view::npos ? mapped_v4.bits : uint8_t{0};
  if (!bits || *bits > 128 - before) {
    return std::nullopt;
  }
  network.bits = static_cast<uint8_t>(before + *bits);
  AddressBytes rest = network.address;
  std::fill(rest.begin(), rest.begin() + network.bits / 8, uint8_t{0});
  if (network.bits % 8 != 0) {
    rest[network.bits / 8] =
        static_cast<uint8_t>(rest[network.bits / 8] & (0xff >> network.bits % 8));
  }
  if (rest != AddressBytes{}) {
    return std::nullopt;
  }
  return network;
}

bool contains(const Network& network, const AddressBytes& address) {
  const size_t whole = network.bits / 8;
  if (!std::equal(address.begin(), address.begin() + static_cast<std::ptrdiff_t>(whole),
                  network.address.begin())) {
    return false;
  }
  const unsigned left = network.bits % 8;
  return left == 0 || (address[whole] ^ network.address[whole]) >> (8 - left) == 0;
}

bool is_loopback(const AddressBytes& address) {
  return contains(loopback_v4, address) || contains(loopback_v6, address);
}

std::string to_text(const AddressBytes& address) {
  char text[INET6_ADDRSTRLEN];
  const bool v4 = contains(mapped_v4, address);
  inet_ntop(v4 ? AF_INET : AF_INET6, address.data() + (v4 ? 12 : 0), text, sizeof text);
  return text;
}

std::string to_text(const Network& network) {
  std::string text = to_text(network.address);
  if (network.bits == 128) {
    return text;
  }
  const bool v4 = network.bits >= mapped_v4.bits && contains(mapped_v4, network.address);
  return text + "/" + decimal(v4 ? network.bits - mapped_v4.bits : network.bits);
}

}  // namespace distributex
