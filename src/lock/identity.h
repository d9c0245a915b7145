// SPDX-License-Identifier: MIT
// What is proven about a client, as opposed to the host and the id that it
// claims. The connection owns what these views show. They are valid while the
// command is submitted: whoever keeps an identity for longer copies its parts.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace distributex {

struct Identity {
  std::span<const uint8_t> address{};  // 4 or 16 bytes in network order; empty on a unix socket
  std::optional<uint32_t> uid{};       // of the process at the other end of a unix socket
  std::span<const std::string> certificate_names{};  // of a certificate that was verified
  std::string_view token_name{};  // the configured name of the secret that came with the request
};

// Whether it is a peer on this machine, of a unix socket or of loopback.
[[nodiscard]] bool is_local(const Identity& identity);

}  // namespace distributex
