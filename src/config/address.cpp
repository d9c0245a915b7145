// SPDX-License-Identifier: MIT
// The file may have numeric addresses only: when the daemon starts, the network that the look-up
// of a name needs may not be there yet. The command line has taken names since 1.0.
#include "config/address.h"

#include <arpa/inet.h>
#include <sys/un.h>

#include "base/text.h"
#include "config/value.h"

namespace distributex {
namespace {

using Complaint = const char*;  // nullptr: the text is sound

enum class Place { file, command_line };

Complaint check_unix_path(std::string_view path) {
  if (!path.starts_with('/')) {
    return "is not an absolute path";
  }
  if (path.ends_with('/')) {
    return "is a folder, not a socket";
  }
  if (path.size() >= sizeof(sockaddr_un::sun_path)) {
    return "is too long for a socket: 107 bytes";
  }
  return has_control_character(path) ? "has a control character" : nullptr;
}

bool is_numeric(int family, std::string_view text) {
  in6_addr address;  // has room for IPv4 as well
  return text.size() < INET6_ADDRSTRLEN && text.find('\0') == text.npos &&
         inet_pton(family, std::string(text).c_str(), &address) == 1;
}

// A text of digits and dots is no name: getaddrinfo() would complete it to some address.
bool is_name(std::string_view text) {
  constexpr std::string_view letters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";
  constexpr std::string_view others = "0123456789.-_";
  bool has_letter = false;
  for (const char c : text) {
    const bool is_letter = letters.find(c) != letters.npos;
    has_letter = has_letter || is_letter;
    if (!is_letter && others.find(c) == others.npos) {
      return false;
    }
  }
  return has_letter && text.size() <= 255 && text.front() != '.' && text.front() != '-';
}

Complaint check_host_part(std::string_view host, Place place) {
  if (host == "*") {
    return nullptr;
  }
  if (host.empty()) {
    return place == Place::file ? "has no address before the port" : "has no address";
  }
  if (host.starts_with('[')) {
    std::string_view inner = host.substr(1, host.ends_with(']') ? host.size() - 2 : 0);
    // On the command line a link-local address may name its interface: [fe80::1%eth0].
    inner = place == Place::command_line ? inner.substr(0, inner.find('%')) : inner;
    return is_numeric(AF_INET6, inner) ? nullptr : "has no IPv6 address in its brackets";
  }
  if (host.find(':') != host.npos) {
    return "is no IPv4 address (IPv6 needs [ ] around it)";
  }
  if (is_numeric(AF_INET, host)) {
    return nullptr;
  }
  if (place == Place::file) {
    return "is not a numeric address, like 127.0.0.1";
  }
  return is_name(host) ? nullptr : "is neither a numeric address, like 127.0.0.1, nor a name";
}

// Like every number of the file, a port must not begin with a needless 0.
bool is_port(std::string_view text) {
  return parse_port(text) && (text.size() == 1 || text[0] != '0');
}

Complaint check(std::string_view text, Place place) {
  constexpr std::string_view unix_prefix = "unix:";
  constexpr std::string_view tls_prefix = "tls:";
  if (text.starts_with(tls_prefix)) {
    text.remove_prefix(tls_prefix.size());
    if (text.starts_with(unix_prefix)) {
      return "has tls: before a unix socket, which needs none";
    }
  }
  if (text.starts_with(unix_prefix)) {
    return check_unix_path(text.substr(unix_prefix.size()));
  }
  const size_t colon = text.rfind(':');
  if (colon == text.npos || text.ends_with(']')) {
    return place == Place::file ? "has no port" : check_host_part(text, place);
  }
  if (!is_port(text.substr(colon + 1))) {
    return "has no port from 0 to 65535 at its end";
  }
  return check_host_part(text.substr(0, colon), place);
}

std::string checked(std::string_view text, Place place) {
  const Complaint complaint = check(text, place);
  return complaint ? in_quotes(text) + ' ' + complaint : std::string{};
}

}  // namespace

std::string check_listen_address(std::string_view text) { return checked(text, Place::file); }

std::string check_listen_argument(std::string_view text) {
  return checked(text, Place::command_line);
}

}  // namespace distributex
