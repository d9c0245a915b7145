// SPDX-License-Identifier: MIT
// Speaks the protocol itself, for it is only an address and a datagram: machines without
// systemd need no libsystemd.
#include "daemon/notify.h"

#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstddef>
#include <cstdlib>
#include <cstring>
#include <string>

#include "base/handle.h"
#include "base/text.h"

namespace distributex {

namespace {

std::string_view variable(const char* name) {
  const char* value = std::getenv(name);
  return value ? value : "";
}

}  // namespace

bool has_service_manager() { return !variable("NOTIFY_SOCKET").empty(); }

void tell_service_manager(std::string_view assignments) {
  const std::string_view path = variable("NOTIFY_SOCKET");
  sockaddr_un to{};
  if (path.empty() || path.size() >= sizeof to.sun_path) {
    return;
  }
  to.sun_family = AF_UNIX;
  path.copy(to.sun_path, path.size());
  if (path.front() == '@') {
    to.sun_path[0] = '\0';  // an abstract address
  }
  const auto size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + path.size());
  const Fd fd{socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0)};
  if (!fd) {
    return;
  }
  (void)sendto(fd.get(), assignments.data(), assignments.size(), MSG_NOSIGNAL,
               reinterpret_cast<const sockaddr*>(&to), size);
}

std::optional<Duration> watchdog_interval() {
  const auto limit = parse_whole(variable("WATCHDOG_USEC"));
  if (!limit || *limit == 0 || !has_service_manager()) {
    return std::nullopt;
  }
  const std::string_view whose = variable("WATCHDOG_PID");
  if (!whose.empty() && parse_whole(whose) != static_cast<uint64_t>(getpid())) {
    return std::nullopt;
  }
  return std::chrono::microseconds{*limit / 2};
}

void tell_start_failed(int error, std::string_view why) {
  tell_service_manager("STATUS=" + std::string{why.substr(0, why.find('\n'))} +
                       "\nERRNO=" + std::to_string(error));
}

}  // namespace distributex
