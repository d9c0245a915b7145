// SPDX-License-Identifier: MIT
//
// Reads and writes addresses and request targets. A host may have only the characters of names and
// addresses, so that no path, user or second URL gets into the URL that is made from it.
#include "client/server.h"

#include <algorithm>

#include "base/text.h"

namespace distributex::client {

namespace {

constexpr std::string_view name_characters =
    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-_";
constexpr std::string_view address_characters = "abcdefABCDEF0123456789.:";

bool has_only(std::string_view text, std::string_view characters) {
  return !text.empty() && text.size() <= 255 &&
         text.find_first_not_of(characters) == std::string_view::npos;
}

// With or without a zone: fe80::1%eth0.
bool is_v6(std::string_view text) {
  const std::size_t zone = text.find('%');
  return has_only(text.substr(0, zone), address_characters) &&
         (zone == std::string_view::npos || has_only(text.substr(zone + 1), name_characters));
}

std::optional<Server> parse_bracketed(std::string_view text, std::uint16_t port) {
  const std::size_t end = text.find(']');
  if (end == std::string_view::npos || !is_v6(text.substr(1, end - 1))) {
    return std::nullopt;
  }
  Server server{std::string(text.substr(1, end - 1)), port};
  const std::string_view rest = text.substr(end + 1);
  if (rest.empty()) {
    return server;
  }
  const auto given = rest.front() == ':' ? parse_server_port(rest.substr(1)) : std::nullopt;
  server.port = given.value_or(0);
  return given ? std::optional(server) : std::nullopt;
}

std::optional<Server> parse_address(std::string_view text, std::uint16_t port) {
  if (text.starts_with('[')) {
    return parse_bracketed(text, port);
  }
  const auto colons = std::count(text.begin(), text.end(), ':');
  if (colons > 1) {  // a bare IPv6 address
    return is_v6(text) ? std::optional(Server{std::string(text), port}) : std::nullopt;
  }
  const std::size_t colon = text.find(':');
  const std::string_view host = text.substr(0, colon);
  const auto given = colon == std::string_view::npos ? std::optional(port)
                                                     : parse_server_port(text.substr(colon + 1));
  if (!given || !has_only(host, name_characters)) {
    return std::nullopt;
  }
  return Server{std::string(host), *given};
}

// An address with or without a scheme. With a scheme, one '/' may follow the address.
std::optional<Server> parse_server(std::string_view text, std::uint16_t port) {
  constexpr std::string_view secure = "https://";
  constexpr std::string_view plain = "http://";
  const bool tls = equal_ignoring_case(text.substr(0, secure.size()), secure);
  if (!tls && !equal_ignoring_case(text.substr(0, plain.size()), plain)) {
    return parse_address(text, port);
  }
  text.remove_prefix(tls ? secure.size() : plain.size());
  if (text.ends_with('/')) {
    text.remove_suffix(1);
  }
  auto server = parse_address(text, port);
  if (server) {
    server->tls = tls;
  }
  return server;
}

void append_encoded(std::string& out, std::string_view text) {
  constexpr std::string_view digits = "0123456789ABCDEF";
  constexpr std::string_view plain =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~";
  for (const char c : text) {
    if (plain.find(c) != std::string_view::npos) {
      out += c;
      continue;
    }
    const auto byte = static_cast<unsigned char>(c);
    out += '%';
    out += digits[byte >> 4U];
    out += digits[byte & 15U];
  }
}

}  // namespace

std::string Server::address() const {
  const bool is_bracketed = host.find(':') != std::string::npos;
  return (is_bracketed ? "[" + host + "]" : host) + ":" + std::to_string(port);
}

std::string Server::name() const { return (tls ? "https://" : "") + address(); }

bool Server::is_loopback() const {
  return equal_ignoring_case(host, "localhost") || host == "::1" ||
         (host.starts_with("127.") && has_only(host, "0123456789."));
}

std::optional<std::uint16_t> parse_server_port(std::string_view text) {
  const auto port = parse_port(text);
  return port == std::uint16_t{0} ? std::nullopt : port;
}

std::optional<std::vector<Server>> parse_servers(std::string_view text, std::uint16_t port,
                                                 std::string& error) {
  std::vector<Server> servers;
  for (;;) {
    const std::size_t comma = text.find(',');
    const std::string_view part = trimmed(text.substr(0, comma));
    const auto server = parse_server(part, port);
    if (!server) {
      error =
          "\"" + std::string(part) +
          "\" is not a server (HOST, HOST:PORT or [IPV6]:PORT, with https:// before it for TLS)";
      return std::nullopt;
    }
    servers.push_back(*server);
    if (comma == std::string_view::npos) {
      return servers;
    }
    text.remove_prefix(comma + 1);
  }
}

std::string make_target(std::string_view path,
                        const std::vector<std::pair<std::string, std::string>>& parameters) {
  std::string target(path);
  char separator = '?';
  for (const auto& [name, value] : parameters) {
    if (value.empty()) {
      continue;
    }
    target += separator;
    target += name;
    target += '=';
    append_encoded(target, value);
    separator = '&';
  }
  return target;
}

}  // namespace distributex::client
