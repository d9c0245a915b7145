// SPDX-License-Identifier: MIT
// The proxy's one loop over its connections.
#include "support/faultproxy.h"

#include <netinet/in.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <vector>

#include "support/memcached.h"

namespace distributex::test {

namespace {
constexpr int drip_ms = 40;  // for each byte
constexpr std::chrono::milliseconds lateness{800};
constexpr int late_ms = 10;  // between two looks
}  // namespace

FaultProxy::FaultProxy(uint16_t target)
    : target_(target), wake_(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
  listener_ = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  void* bytes = &address;
  if (bind(listener_, static_cast<sockaddr*>(bytes), size) == 0 && listen(listener_, 64) == 0 &&
      getsockname(listener_, static_cast<sockaddr*>(bytes), &size) == 0) {
    port_ = ntohs(address.sin_port);
  }
  thread_ = std::thread([this] { run(); });
}

FaultProxy::~FaultProxy() {
  stopping_ = true;
  set(Mode::pass);
  thread_.join();
  for (const Pair& pair : pairs_) {
    close(pair.client);
    close(pair.server);
  }
  close(listener_);
  close(wake_);
}

void FaultProxy::set(Mode mode) {
  mode_ = mode;
  const uint64_t one = 1;
  (void)!write(wake_, &one, sizeof one);
}

void FaultProxy::accept_one() {
  const int client = accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
  const int server = connect_to(target_);
  if (client >= 0 && server >= 0) {
    pairs_.push_back({client, server});
    return;
  }
  if (client >= 0) {
    close(client);
  }
  if (server >= 0) {
    close(server);
  }
}

void FaultProxy::from_client(Pair& pair) {
  char bytes[65536];
  const ssize_t size = recv(pair.client, bytes, sizeof bytes, 0);
  if (size <= 0 || send(pair.server, bytes, static_cast<size_t>(size), MSG_NOSIGNAL) != size) {
    pair.over = true;
  }
}

void FaultProxy::from_server(Pair& pair) {
  char bytes[65536];
  const ssize_t size = recv(pair.server, bytes, sizeof bytes, 0);
  if (size <= 0) {
    pair.over = true;
    return;
  }
  if (pair.to_client.empty()) {
    pair.answered = std::chrono::steady_clock::now();
  }
  pair.to_client.append(bytes, static_cast<size_t>(size));
}

void FaultProxy::to_client(Pair& pair) {
  const Mode mode = mode_;
  if (mode == Mode::late && std::chrono::steady_clock::now() - pair.answered < lateness) {
    return;
  }
  size_t size = pair.to_client.size();
  if (mode == Mode::drip) {
    size = 1;
  }
  if (mode == Mode::cut) {
    size = size / 2;
  }
  if (send(pair.client, pair.to_client.data(), size, MSG_NOSIGNAL) < 0) {
    pair.over = true;
  }
  pair.to_client.erase(0, size);
  if (mode == Mode::cut) {
    pair.over = true;
    cuts_++;
  }
}

void FaultProxy::run() {
  while (!stopping_) {
    const Mode mode = mode_;
    const bool stalled = mode == Mode::stall;
    std::vector<pollfd> fds{{wake_, POLLIN, 0}, {listener_, POLLIN, 0}};
    bool pending = false;  // what came while it stalled, too
    for (const Pair& pair : pairs_) {
      fds.push_back({pair.client, static_cast<short>(stalled ? 0 : POLLIN), 0});
      fds.push_back({pair.server, static_cast<short>(stalled ? 0 : POLLIN), 0});
      pending = pending || (!stalled && !pair.to_client.empty());
    }
    const int pace_ms = mode == Mode::drip ? drip_ms : mode == Mode::late ? late_ms : 0;
    poll(fds.data(), fds.size(), pending ? pace_ms : -1);
    uint64_t count = 0;
    (void)!read(wake_, &count, sizeof count);
    size_t at = 2;
    for (Pair& pair : pairs_) {
      if (fds[at].revents != 0) {
        from_client(pair);
      }
      if (fds[at + 1].revents != 0) {
        from_server(pair);
      }
      if (!stalled && !pair.to_client.empty()) {
        to_client(pair);
      }
      at += 2;
    }
    if (fds[1].revents != 0) {
      accept_one();
    }
    std::erase_if(pairs_, [](const Pair& pair) {
      if (!pair.over) {
        return false;
      }
      close(pair.client);
      close(pair.server);
      return true;
    });
  }
}

}  // namespace distributex::test
