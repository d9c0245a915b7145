// SPDX-License-Identifier: MIT
// Looks through the descriptors of this process. Only one connected socket has that local
// port, and only one has that path as peer, since one link alone connects there.
#include "backends/memcache/socket.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <array>
#include <charconv>
#include <cstring>
#include <optional>

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
  if (!ask(getpeername, fd, peer) || !ask(getsockname, fd, own)) {
    return false;
  }
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

std::optional<int> number_of(const char* name) {
  int fd = -1;
  const char* end = name + std::strlen(name);
  const auto [rest, error] = std::from_chars(name, end, fd);
  return error == std::errc{} && rest == end ? std::optional{fd} : std::nullopt;
}

}  // namespace

// Reads with the system call: the thread sanitizer does not see opendir() open a descriptor
// and then mistakes its number for a descriptor of another thread.
Fd duplicate_socket(uint16_t local_port, const std::string& path) {
  const Fd all(open("/proc/self/fd", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  alignas(dirent64) std::array<char, 4096> entries;
  for (;;) {
    const ssize_t size = getdents64(all.get(), entries.data(), entries.size());
    if (size <= 0) {
      return Fd{};
    }
    for (size_t at = 0; at < static_cast<size_t>(size);) {
      const void* bytes = entries.data() + at;
      const auto* entry = static_cast<const dirent64*>(bytes);
      at += entry->d_reclen;
      const auto fd = number_of(entry->d_name);
      if (fd && is_wanted(*fd, local_port, path)) {
        return Fd(fcntl(*fd, F_DUPFD_CLOEXEC, 0));
      }
    }
  }
}

}  // namespace distributex
