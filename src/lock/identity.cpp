// SPDX-License-Identifier: MIT
// Loopback is 127.0.0.0/8, ::1, and 127.0.0.0/8 mapped into IPv6.
#include "lock/identity.h"

#include <algorithm>
#include <array>

namespace distributex {

bool is_local(const Identity& identity) {
  constexpr std::array<uint8_t, 16> v6_loopback{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1};
  constexpr std::array<uint8_t, 12> v4_mapped{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
  const auto& address = identity.address;
  if (address.size() == 16) {
    return std::equal(address.begin(), address.end(), v6_loopback.begin()) ||
           (std::equal(v4_mapped.begin(), v4_mapped.end(), address.begin()) && address[12] == 127);
  }
  return address.empty() || address[0] == 127;
}

}  // namespace distributex
