// SPDX-License-Identifier: MIT
//
// Where the lock servers are and how a request to one is spelled: addresses as people write them,
// paths and queries as the wire wants them. Pure; no sockets.
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
  bool tls = false;  // it is spoken to over TLS, and must prove its name

  // host:port, with brackets where an IPv6 address needs them.
  [[nodiscard]] std::string address() const;
  // The same with https:// before it where that is spoken: for people.
  [[nodiscard]] std::string name() const;
  // Whether a request to it stays on this machine, by what is written.
  [[nodiscard]] bool is_loopback() const;
};

// "a, b:1000, [::1]:1000, ::1, https://c": servers in their order, `port` where none is given.
// Nullopt when one of them is not a server, and then `error` says which.
[[nodiscard]] std::optional<std::vector<Server>> parse_servers(std::string_view text,
                                                               std::uint16_t port,
                                                               std::string& error);

// 1 to 65535: what can be connected to.
[[nodiscard]] std::optional<std::uint16_t> parse_server_port(std::string_view text);

// "/wait/?host=a&pool=b": each value percent-encoded. Values that are empty are left out.
[[nodiscard]] std::string make_target(
    std::string_view path, const std::vector<std::pair<std::string, std::string>>& parameters);

}  // namespace distributex::client
