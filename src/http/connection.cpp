// SPDX-License-Identifier: MIT
// The states of a connection, its peer's address and identity, and cut_off(). io.cpp
// reads and writes the bytes.
#include "http/connection.h"

#include <event2/bufferevent.h>
#include <netinet/in.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include <cassert>
#include <utility>

namespace distributex {

namespace {

using State = Connection::State;

[[maybe_unused]] bool is_legal(State from, State to) {
  if (to == State::closed) {
    return from != State::closed;
  }
  switch (from) {
    case State::reading:
      return to == State::asking;
    case State::asking:
      return to == State::parked || to == State::sending || to == State::streaming;
    case State::parked:
      return to == State::sending || to == State::streaming;
    case State::sending:
      return to == State::reading;
    case State::streaming:
      return to == State::sending;
    case State::closed:
      return false;
  }
  return false;
}

// The address in network order. An IPv4 address has 4 bytes, also if it came mapped into
// an IPv6 one.
std::span<const uint8_t> address_of(const sockaddr* address) {
  if (address->sa_family == AF_INET) {
    const auto* v4 = reinterpret_cast<const sockaddr_in*>(address);
    return {reinterpret_cast<const uint8_t*>(&v4->sin_addr), sizeof v4->sin_addr};
  }
  if (address->sa_family != AF_INET6) {
    return {};
  }
  const auto* v6 = reinterpret_cast<const sockaddr_in6*>(address);
  const std::span<const uint8_t> whole{v6->sin6_addr.s6_addr};
  return IN6_IS_ADDR_V4MAPPED(&v6->sin6_addr) ? whole.last(4) : whole;
}

}  // namespace

Connection::Connection(Http& server, Commons& commons, evhttp_connection* connection, int socket,
                       std::unique_ptr<Transport> transport)
    : http(server),
      evcon(connection),
      fd(socket),
      commons_(commons),
      transport_(std::move(transport)) {
  ++commons_.in_state[static_cast<size_t>(state_)];
}

void Connection::enter(State next) {
  assert(is_legal(state_, next));
  --commons_.in_state[static_cast<size_t>(state_)];
  ++commons_.in_state[static_cast<size_t>(next)];
  state_ = next;
}

bufferevent* Connection::bev() const { return evhttp_connection_get_bufferevent(evcon); }

// If the kernel has unsent bytes of an answer, the connection ends with a reset: else the
// kernel would keep the bytes. The connection is freed here and not when reading finds its
// end, because it may not be read from: its client may have sent too much ahead.
void Connection::cut_off() {
  int unsent = 0;
  if (ioctl(fd, TIOCOUTQ, &unsent) == 0 && unsent > 0) {
    const linger now{.l_onoff = 1, .l_linger = 0};
    (void)setsockopt(fd, SOL_SOCKET, SO_LINGER, &now, sizeof now);
  }
  shutdown(fd, SHUT_RDWR);
  evhttp_connection_free(evcon);
}

// evhttp returns the address in numbers; for a unix socket it returns no port.
std::string_view Connection::peer() {
  if (!peer_.empty()) {
    return peer_;
  }
  char* address = nullptr;
  uint16_t port = 0;
  evhttp_connection_get_peer(evcon, &address, &port);
  if (!address || port == 0) {
    return peer_ = "unix";
  }
  constexpr std::string_view mapped = "::ffff:";
  std::string_view host = address;
  if (host.starts_with(mapped) && host.find('.') != host.npos) {
    host.remove_prefix(mapped.size());
  }
  const bool v6 = host.find(':') != host.npos;
  peer_.append(v6 ? "[" : "").append(host).append(v6 ? "]:" : ":").append(std::to_string(port));
  return peer_;
}

Identity Connection::identity() const {
  Identity identity{};
  identity.address = address_of(evhttp_connection_get_addr(evcon));
  transport_->identify(identity);
  return identity;
}

}  // namespace distributex
