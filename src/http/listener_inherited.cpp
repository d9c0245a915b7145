// SPDX-License-Identifier: MIT
// Every socket serves everything, as the addresses of the configuration do. Of the names
// (LISTEN_FDNAMES) only "tls" counts: that socket speaks TLS.
#include "http/listener_inherited.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstdlib>
#include <string_view>

#include "base/text.h"

namespace distributex {

namespace {

constexpr int first_fd = 3;
constexpr int most_fds = 1024;

// The number in the variable; -1: there is none.
int number(const char* variable) {
  const char* value = std::getenv(variable);
  return parse_whole<int>(value ? value : "").value_or(-1);
}

int option_of(int fd, int name) {
  int value = 0;
  socklen_t size = sizeof value;
  return getsockopt(fd, SOL_SOCKET, name, &value, &size) == 0 ? value : -1;
}

// Whether the descriptor is a listening stream socket of a family that this server knows.
bool listens(int fd) {
  const int family = option_of(fd, SO_DOMAIN);
  return option_of(fd, SO_ACCEPTCONN) == 1 && option_of(fd, SO_TYPE) == SOCK_STREAM &&
         (family == AF_INET || family == AF_INET6 || family == AF_UNIX);
}

}  // namespace

std::variant<std::vector<Listener>, std::string> inherited_listeners() {
  const int count = number("LISTEN_PID") == getpid() ? number("LISTEN_FDS") : 0;
  const char* named = std::getenv("LISTEN_FDNAMES");
  const std::string kept = named ? named : "";
  std::string_view names = kept;
  for (const char* variable : {"LISTEN_PID", "LISTEN_FDS", "LISTEN_FDNAMES"}) {
    unsetenv(variable);
  }
  std::vector<Listener> listeners;
  if (count < 0 || count > most_fds) {
    return "LISTEN_FDS is not a number from 0 to " + std::to_string(most_fds);
  }
  for (int fd = first_fd; fd < first_fd + count; ++fd) {
    if (!listens(fd)) {
      return "descriptor " + std::to_string(fd) +
             " was handed over, but is no listening TCP or unix stream socket (Accept=no is "
             "needed)";
    }
    (void)fcntl(fd, F_SETFD, FD_CLOEXEC);
    tune_listener(fd);
    const bool tls = take_until(':', names) == "tls" && option_of(fd, SO_DOMAIN) != AF_UNIX;
    listeners.push_back({.fd = Fd{fd},
                         .address = (tls ? "tls:" : "") + name_of_listener(fd),
                         .unix_path = {},
                         .tls = tls});
  }
  return listeners;
}

}  // namespace distributex
