// SPDX-License-Identifier: MIT
// The plain transport: the socket itself.
#include <sys/socket.h>

#include <cerrno>

#include "http/transport.h"

namespace distributex {

namespace {

Io outcome_of(ssize_t moved) {
  if (moved > 0) {
    return {Io::State::done, static_cast<size_t>(moved)};
  }
  if (moved == 0) {
    return {Io::State::end};
  }
  return {errno == EAGAIN || errno == EINTR ? Io::State::wait : Io::State::broken};
}

class PlainTransport final : public Transport {
 public:
  explicit PlainTransport(int fd) : fd_(fd) {}

  Io read(std::span<char> into) override {
    return outcome_of(recv(fd_, into.data(), into.size(), 0));
  }
  Io write(std::string_view bytes) override {
    return outcome_of(send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL));
  }
  [[nodiscard]] bool has_pending() const override { return false; }
  void end() override {}
  // A peer without an address is on a unix socket: the kernel tells its uid.
  void identify(Identity& identity) const override {
    if (!identity.address.empty()) {
      return;
    }
    ucred peer{};
    socklen_t size = sizeof peer;
    if (getsockopt(fd_, SOL_SOCKET, SO_PEERCRED, &peer, &size) == 0) {
      identity.uid = peer.uid;
    }
  }

 private:
  int fd_;
};

}  // namespace

std::unique_ptr<Transport> make_plain_transport(int fd) {
  return std::make_unique<PlainTransport>(fd);
}

}  // namespace distributex
