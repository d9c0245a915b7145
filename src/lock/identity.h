// SPDX-License-Identifier: MIT
// What is proven about a client, as opposed to the host and the id that it claims. The
// members are views of data that the connection owns, and valid while the command is
// submitted: code that keeps an identity for longer must copy its parts.
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

  bool certified = false;                            // its certificate was verified
  std::span<const std::string> certificate_names{};  // the hosts that the certificate proves
  std::string_view certificate_uri{};                // its SPIFFE id, which proves no host

  std::string_view secret_name{};               // the configured name of the request's secret
  std::span<const std::string> secret_hosts{};  // patterns of the hosts it may speak for

  std::string_view trouble{};         // why its certificate was refused, as one sentence
  std::string_view trouble_reason{};  // the same, as one word

  bool private_channel = false;  // it came over TLS: nobody on the network can read it

  [[nodiscard]] bool proven() const { return certified || !secret_name.empty(); }
};

// Whether the peer is on this machine: it came over a unix socket or from loopback.
[[nodiscard]] bool is_local(const Identity& identity);

}  // namespace distributex
