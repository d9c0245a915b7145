// SPDX-License-Identifier: MIT
// Looks through the descriptors of this process. A local port with a peer
// belongs to one socket, and so does a path, since one link alone goes there.
#include "memcache_socket.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <charconv>
#include <cstring>
#include <memory>

namespace distributex {

namespace {

struct Address {
  sockaddr_storage bytes{};
  socklen_t size = sizeof bytes;
};

template <typename As>
const As& view(const Address& address) {
  const void* bytes = &address.bytes;
  return *static_cast<const As*>(bytes);
}

bool ask(int (*call)(int, sockaddr*, socklen_t*), int fd, Address& address) {
  void* bytes = &address.bytes;
  return call(fd, static_cast<sockaddr*>(bytes), &address.size) == 0;
}

bool is_wanted(int fd, uint16_t local_port, const std::string& path) {
  Address own;
  Address peer;
  if (!ask(getpeername, fd, peer) || !ask(getsockname, fd, own)) return false;
  switch (own.bytes.ss_family) {
    case AF_INET:
      return path.empty() && ntohs(view<sockaddr_in>(own).sin_port) == local_port;
    case AF_INET6:
      return path.empty() && ntohs(view<sockaddr_in6>(own).sin6_port) == local_port;
    case AF_UNIX:
      return !path.empty() && peer.size > offsetof(sockaddr_un, sun_path) &&
             path == view<sockaddr_un>(peer).sun_path;
    default:
      return false;
  }
}

}  // namespace

Fd duplicate_socket(uint16_t local_port, const std::string& path) {
  const std::unique_ptr<DIR, FreeWith<closedir>> all(opendir("/proc/self/fd"));
  if (!all) return Fd{};
  while (const dirent* entry = readdir(all.get())) {
    int fd = -1;
    const char* end = entry->d_name + std::strlen(entry->d_name);
    if (std::from_chars(entry->d_name, end, fd).ec != std::errc{}) continue;
    if (is_wanted(fd, local_port, path)) return Fd(fcntl(fd, F_DUPFD_CLOEXEC, 0));
  }
  return Fd{};
}

}  // namespace distributex
