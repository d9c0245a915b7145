// SPDX-License-Identifier: MIT
// Socket options are set on the listener once: accepted sockets inherit them.
#include "http/listener.h"

#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <string_view>

namespace distributex {

namespace {

using Opened = std::variant<Listener, std::string>;
using AddressList = std::unique_ptr<addrinfo, FreeWith<freeaddrinfo>>;

constexpr int backlog = 4096;
constexpr std::string_view unix_prefix = "unix:";
constexpr std::string_view tls_prefix = "tls:";

std::string why(const std::string& address, const char* what, int error) {
  return "cannot listen on " + address + ": " + what + ": " + std::strerror(error);
}

void set_option(int fd, int level, int name, int value) {
  // A failure costs speed, or delays the notice of a dead peer: no reason not to start.
  (void)setsockopt(fd, level, name, &value, sizeof value);
}

Opened open_inet(const addrinfo& info, const std::string& address) {
  Fd fd{socket(info.ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0)};
  if (!fd) {
    return why(address, "socket", errno);
  }
  set_option(fd.get(), SOL_SOCKET, SO_REUSEADDR, 1);
  if (info.ai_family == AF_INET6) {
    set_option(fd.get(), IPPROTO_IPV6, IPV6_V6ONLY, 1);
  }
  tune_listener(fd.get());
  if (bind(fd.get(), info.ai_addr, info.ai_addrlen) != 0) {
    return why(address, "bind", errno);
  }
  if (listen(fd.get(), backlog) != 0) {
    return why(address, "listen", errno);
  }
  std::string name = name_of_listener(fd.get());
  return Listener{.fd = std::move(fd), .address = std::move(name), .unix_path = {}, .tls = false};
}

// Whether the address is [::1] and this machine has none, because the kernel has no IPv6 or
// IPv6 is switched off. If the probe fails for another reason, the answer is no.
bool lacks_loopback6(const addrinfo& info) {
  if (info.ai_family != AF_INET6) {
    return false;
  }
  sockaddr_in6 at{};
  std::memcpy(&at, info.ai_addr, std::min<size_t>(info.ai_addrlen, sizeof at));
  if (!IN6_IS_ADDR_LOOPBACK(&at.sin6_addr)) {
    return false;
  }
  at.sin6_port = 0;
  const Fd probe{socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0)};
  if (!probe) {
    return errno == EAFNOSUPPORT;
  }
  return bind(probe.get(), reinterpret_cast<const sockaddr*>(&at), sizeof at) != 0 &&
         errno == EADDRNOTAVAIL;
}

// Removes a unix socket that no process listens on. Anything else at the path stays, and
// the returned sentence says why; empty: the path is free.
std::string clear_path(const sockaddr_un& at, const std::string& address) {
  struct stat st {};
  if (lstat(at.sun_path, &st) != 0) {
    return errno == ENOENT ? "" : why(address, "stat", errno);
  }
  if (!S_ISSOCK(st.st_mode)) {
    return "cannot listen on " + address + ": there is a file that is no socket";
  }
  const Fd probe{socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0)};
  if (!probe) {
    return why(address, "socket", errno);
  }
  if (connect(probe.get(), reinterpret_cast<const sockaddr*>(&at), sizeof at) == 0 ||
      errno == EAGAIN) {  // the backlog of a process that listens there is full
    return "cannot listen on " + address + ": another process listens there";
  }
  if (errno != ECONNREFUSED) {
    return why(address, "cannot tell whether a process listens on the socket there", errno);
  }
  return unlink(at.sun_path) == 0 ? "" : why(address, "unlink", errno);
}

Opened open_unix(const std::string& address) {
  const std::string path = address.substr(unix_prefix.size());
  sockaddr_un at{};
  at.sun_family = AF_UNIX;
  if (path.empty() || path.size() >= sizeof at.sun_path) {
    return "cannot listen on " + address + ": a path of 1 to " +
           std::to_string(sizeof at.sun_path - 1) + " bytes is needed";
  }
  path.copy(at.sun_path, path.size());
  if (std::string error = clear_path(at, address); !error.empty()) {
    return error;
  }
  Fd fd{socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0)};
  if (!fd) {
    return why(address, "socket", errno);
  }
  // The mode of the socket decides who may connect: its owner and its group.
  const mode_t before = umask(0117);
  const int bound = bind(fd.get(), reinterpret_cast<const sockaddr*>(&at), sizeof at);
  const int error = errno;
  umask(before);
  if (bound != 0) {
    return why(address, "bind", error);
  }
  if (listen(fd.get(), backlog) != 0) {
    return why(address, "listen", errno);
  }
  return Listener{.fd = std::move(fd), .address = address, .unix_path = path, .tls = false};
}

// "host:port" or "[v6]:port" into its two parts.
std::pair<std::string, std::string> split(const std::string& address) {
  const size_t colon = address.rfind(':');
  std::string host = address.substr(0, colon);
  if (host.size() >= 2 && host.front() == '[' && host.back() == ']') {
    host = host.substr(1, host.size() - 2);
  }
  return {std::move(host), colon == std::string::npos ? "" : address.substr(colon + 1)};
}

std::variant<std::vector<Listener>, std::string> open_all(const std::string& port,
                                                          const std::string& address) {
  std::vector<Listener> opened;
  sockaddr_in6 v6{};
  v6.sin6_family = AF_INET6;
  v6.sin6_port = htons(static_cast<uint16_t>(std::strtoul(port.c_str(), nullptr, 10)));
  addrinfo info{};
  info.ai_family = AF_INET6;
  info.ai_addr = reinterpret_cast<sockaddr*>(&v6);
  info.ai_addrlen = sizeof v6;
  if (const Fd probe{socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0)}) {
    Opened first = open_inet(info, address);
    if (auto* error = std::get_if<std::string>(&first)) {
      return std::move(*error);
    }
    opened.push_back(std::get<Listener>(std::move(first)));
    // IPv4 gets the port of the IPv6 socket, which the kernel may have chosen.
    socklen_t size = sizeof v6;
    if (getsockname(opened[0].fd.get(), reinterpret_cast<sockaddr*>(&v6), &size) != 0) {
      return why(address, "getsockname", errno);
    }
  }
  sockaddr_in v4{};
  v4.sin_family = AF_INET;
  v4.sin_port = v6.sin6_port;
  info.ai_family = AF_INET;
  info.ai_addr = reinterpret_cast<sockaddr*>(&v4);
  info.ai_addrlen = sizeof v4;
  Opened second = open_inet(info, address);
  if (auto* error = std::get_if<std::string>(&second)) {
    return std::move(*error);
  }
  opened.push_back(std::get<Listener>(std::move(second)));
  return opened;
}

std::variant<std::vector<Listener>, std::string> open_plain(const std::string& address) {
  std::vector<Listener> opened;
  if (address.starts_with(unix_prefix)) {
    Opened one = open_unix(address);
    if (auto* error = std::get_if<std::string>(&one)) {
      return std::move(*error);
    }
    opened.push_back(std::get<Listener>(std::move(one)));
    return opened;
  }
  const auto [host, port] = split(address);
  if (host == "*") {
    return open_all(port, address);
  }
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_PASSIVE | AI_NUMERICSERV;
  addrinfo* found = nullptr;
  if (const int rc = getaddrinfo(host.c_str(), port.c_str(), &hints, &found); rc != 0) {
    return "cannot listen on " + address + ": " + gai_strerror(rc);
  }
  const AddressList list{found};
  for (const addrinfo* info = found; info; info = info->ai_next) {
    if (lacks_loopback6(*info)) {
      continue;
    }
    Opened one = open_inet(*info, address);
    if (auto* error = std::get_if<std::string>(&one)) {
      return std::move(*error);
    }
    opened.push_back(std::get<Listener>(std::move(one)));
  }
  return opened;
}

}  // namespace

// With these options the kernel ends a connection about two minutes after its peer
// vanished without closing it.
void tune_listener(int fd) {
  set_option(fd, IPPROTO_TCP, TCP_NODELAY, 1);
  set_option(fd, SOL_SOCKET, SO_KEEPALIVE, 1);
  set_option(fd, IPPROTO_TCP, TCP_KEEPIDLE, 60);
  set_option(fd, IPPROTO_TCP, TCP_KEEPINTVL, 15);
  set_option(fd, IPPROTO_TCP, TCP_KEEPCNT, 3);
  set_option(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, 60000);
}

std::string name_of_listener(int fd) {
  sockaddr_storage storage{};
  socklen_t size = sizeof storage;
  auto* address = reinterpret_cast<sockaddr*>(&storage);
  if (getsockname(fd, address, &size) != 0) {
    return "unknown";
  }
  if (storage.ss_family == AF_UNIX) {
    const auto* at = reinterpret_cast<const sockaddr_un*>(&storage);
    return std::string{unix_prefix} + (at->sun_path[0] != '\0' ? at->sun_path : "@");
  }
  char host[NI_MAXHOST];
  char port[NI_MAXSERV];
  if (getnameinfo(address, size, host, sizeof host, port, sizeof port,
                  NI_NUMERICHOST | NI_NUMERICSERV) != 0) {
    return "unknown";
  }
  const bool v6 = storage.ss_family == AF_INET6;
  return (v6 ? "[" + std::string{host} + "]" : std::string{host}) + ":" + port;
}

std::variant<std::vector<Listener>, std::string> open_listeners(const std::string& address) {
  if (!address.starts_with(tls_prefix)) {
    return open_plain(address);
  }
  auto opened = open_plain(address.substr(tls_prefix.size()));
  if (auto* listeners = std::get_if<std::vector<Listener>>(&opened)) {
    for (Listener& listener : *listeners) {
      listener.tls = true;
      listener.address.insert(0, tls_prefix);
    }
  }
  return opened;
}

bool has_port(const std::string& address) {
  if (address.starts_with(tls_prefix)) {
    return has_port(address.substr(tls_prefix.size()));
  }
  return address.starts_with(unix_prefix) ||
         (address.find(':') != std::string::npos && address.back() != ']');
}

std::string with_port(const std::string& address, uint16_t port) {
  if (address.starts_with(unix_prefix)) {
    return address;
  }
  const std::string host = has_port(address) ? address.substr(0, address.rfind(':')) : address;
  return host + ":" + std::to_string(port);
}

}  // namespace distributex
