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

  bool certified = false;                            // it has shown a certificate that was verified
  std::span<const std::string> certificate_names{};  // the hosts that the certificate proves
  std::string_view certificate_uri{};                // and its SPIFFE id, which proves no host

  std::string_view secret_name{};  // the configured name of the secret that came with the request
  std::span<const std::string> secret_hosts{};  // patterns of the hosts that it may speak for

  std::string_view trouble{};         // a certificate that proves nothing: why, as one sentence
  std::string_view trouble_reason{};  // and as one word

  bool private_channel = false;  // nobody between can read what the client sends: TLS

  [[nodiscard]] bool proven() const { return certified || !secret_name.empty(); }
};

// Whether it is a peer on this machine, of a unix socket or of loopback.
[[nodiscard]] bool is_local(const Identity& identity);

}  // namespace distributex
