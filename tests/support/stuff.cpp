// SPDX-License-Identifier: MIT
// Sending until the other side of a connection is stuck, which the kernel's table of
// sockets shows.
#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <sys/socket.h>

#include <algorithm>

#include "support/http.h"

namespace distributex::test {
namespace {

// What the kernel has queued at the other end of a connection within this
// machine, as "tx:rx" in hexadecimal; "" when it is not found.
std::string peer_queues(uint16_t own_port, uint16_t peer_port) {
  std::string found;
  FILE* table = fopen("/proc/net/tcp", "re");
  char line[512];
  while (table != nullptr && found.empty() && fgets(line, sizeof line, table) != nullptr) {
    unsigned local = 0;
    unsigned remote = 0;
    char queues[32] = "";
    const int fields =
        sscanf(line, " %*u: %*8[0-9A-F]:%x %*8[0-9A-F]:%x %*x %31s", &local, &remote, queues);
    if (fields == 3 && local == peer_port && remote == own_port) {
      found = queues;
    }
  }
  if (table != nullptr) {
    fclose(table);
  }
  return found;
}

uint16_t port_of(int fd, int (*name)(int, sockaddr*, socklen_t*)) {
  sockaddr_in address{};
  socklen_t size = sizeof address;
  name(fd, reinterpret_cast<sockaddr*>(&address), &size);
  return ntohs(address.sin_port);
}

}  // namespace

// Stuck: nothing can be sent, and while the daemon does much else, its queues
// for this connection stay as they are.
bool stuff(Connection& greedy, std::string_view request, size_t most) {
  std::string many;
  while (many.size() < 65536) {
    many += request;
  }
  const uint16_t peer_port = port_of(greedy.fd(), getpeername);
  const uint16_t own_port = port_of(greedy.fd(), getsockname);
  Connection other(peer_port);
  size_t sent = 0;
  const auto push = [&] {
    ssize_t some = 0;
    do {
      some = greedy.send_some(std::string_view(many).substr(sent % many.size()));
      sent += static_cast<size_t>(std::max<ssize_t>(some, 0));
    } while (some > 0 && sent < most);
    return some;
  };
  std::string queues;
  for (int same = 0; same < 20;) {
    const ssize_t some = push();
    if (some < 0 || sent >= most || fetch(other, "/livez").status != 200) {
      return false;
    }
    const std::string now = peer_queues(own_port, peer_port);
    same = !now.empty() && now == queues ? same + 1 : 0;
    queues = now;
  }
  return true;
}

}  // namespace distributex::test
