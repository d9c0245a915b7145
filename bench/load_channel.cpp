// SPDX-License-Identifier: MIT
// Checks no certificates and resumes no session, so that each handshake is a full one, as
// those of distributex are.
#include "load_channel.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/ssl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "load_net.h"

namespace bench {

namespace {

constexpr size_t clients_an_address = 20000;  // there are not more free ports

int connected_socket(uint16_t port, size_t number) {
  const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (fd < 0) {
    give_up("socket", true);
  }
  const int one = 1;
  setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
  sockaddr_in at{};
  at.sin_family = AF_INET;
  if (const size_t address = number / clients_an_address; address > 0) {
    setsockopt(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &one, sizeof one);
    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK + static_cast<uint32_t>(address));
    if (bind(fd, reinterpret_cast<sockaddr*>(&at), sizeof at) != 0) {
      give_up("bind", true);
    }
  }
  at.sin_port = htons(port);
  at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (connect(fd, reinterpret_cast<sockaddr*>(&at), sizeof at) != 0) {
    give_up("connect", true);
  }
  return fd;
}

// One for all connections, made by the first.
SSL_CTX* context() {
  struct FreeContext {
    void operator()(SSL_CTX* made) const { SSL_CTX_free(made); }
  };
  static const std::unique_ptr<SSL_CTX, FreeContext> made(SSL_CTX_new(TLS_client_method()));
  if (!made || SSL_CTX_set_min_proto_version(made.get(), TLS1_3_VERSION) != 1) {
    give_up("TLS cannot be set up");
  }
  return made.get();
}

}  // namespace

void Channel::FreeSsl::operator()(ssl_st* ssl) const { SSL_free(ssl); }

Channel::Channel(const Address& address, size_t number)
    : fd_(connected_socket(address.port, number)) {
  if (!address.tls) {
    return;
  }
  ssl_.reset(SSL_new(context()));
  if (!ssl_ || SSL_set_fd(ssl_.get(), fd_) != 1 || SSL_connect(ssl_.get()) != 1) {
    give_up("a TLS handshake has failed");
  }
  fcntl(fd_, F_SETFL, fcntl(fd_, F_GETFL) | O_NONBLOCK);
}

Channel::~Channel() { close(fd_); }

void Channel::send(std::string_view bytes) {
  const auto size = static_cast<int>(bytes.size());
  const ssize_t sent = ssl_ ? SSL_write(ssl_.get(), bytes.data(), size)
                            : ::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
  if (sent != size) {
    give_up("send", true);
  }
}

size_t Channel::receive(char* bytes, size_t size) {
  if (ssl_) {
    const int got = SSL_read(ssl_.get(), bytes, static_cast<int>(size));
    if (got <= 0 && SSL_get_error(ssl_.get(), got) != SSL_ERROR_WANT_READ) {
      give_up("the server has closed a connection");
    }
    return got > 0 ? static_cast<size_t>(got) : 0;
  }
  const ssize_t got = recv(fd_, bytes, size, MSG_DONTWAIT);
  if (got == 0 || (got < 0 && errno != EAGAIN && errno != EINTR)) {
    give_up("the server has closed a connection");
  }
  return got > 0 ? static_cast<size_t>(got) : 0;
}

}  // namespace bench
