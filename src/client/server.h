// SPDX-License-Identifier: MIT
//
// Addresses of lock servers as users write them, and paths and queries as HTTP needs them. Pure; no
// sockets.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace distributex::client {

struct Server {
  std::string host;  // a name or an address, IPv6 without brackets
  std::uint16_t port = 9889;
  bool tls = false;  // requests go over TLS, and the server must prove its name

  // host:port, with brackets where an IPv6 address needs them.
  [[nodiscard]] std::string address() const;
  // The address for messages, with https:// before it if requests go over TLS.
  [[nodiscard]] std::string name() const;
  // Whether the written host means this machine.
  [[nodiscard]] bool is_loopback() const;
};

// "a, b:1000, [::1]:1000, ::1, https://c": servers in their order; `port` is for those without one.
// If one of them is no server, returns nullopt and sets `error`.
[[nodiscard]] std::optional<std::vector<Server>> parse_servers(std::string_view text,
                                                               std::uint16_t port,
                                                               std::string& error);

// A port from 1 to 65535, else nullopt.
[[nodiscard]] std::optional<std::uint16_t> parse_server_port(std::string_view text);

// "/wait/?host=a&pool=b": percent-encodes the values, and leaves out empty ones.
[[nodiscard]] std::string make_target(
    std::string_view path, const std::vector<std::pair<std::string, std::string>>& parameters);

}  // namespace distributex::client
