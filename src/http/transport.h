// SPDX-License-Identifier: MIT
// A transport moves the bytes between a connection and its socket, in clear or over TLS,
// and tells what is proven about the peer. It never blocks, and knows no HTTP.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <span>
#include <string_view>

#include "lock/identity.h"

struct event;

namespace distributex {

struct Io {
  enum class State {
    done,        // bytes were moved, at least one
    wait,        // try again when the socket is ready in the same direction
    wait_other,  // try again when the socket is ready in the other direction
    wait_event,  // read: try again when the transport has made the event of wakes() active
    end,         // read: the peer has closed its side in order
    broken       // no more bytes can be moved
  };
  State state;
  size_t bytes = 0;
};

class Transport {
 public:
  virtual ~Transport() = default;
  [[nodiscard]] virtual Io read(std::span<char> into) = 0;
  // May move a part of the bytes. The next call must begin with the first byte that was not
  // moved, and be at least as long as the rest, or 16 KiB.
  [[nodiscard]] virtual Io write(std::string_view bytes) = 0;
  // Whether read() has bytes that the socket, read empty, does not show.
  [[nodiscard]] virtual bool has_pending() const = 0;
  // The event of Io::State::wait_event; valid until end().
  virtual void wakes(event& /*reading*/) {}
  // Called before the socket is closed: tells the peer, without waiting for it.
  virtual void end() = 0;
  // Whether it is cheap to send a refusal to a new peer: no handshake comes before.
  [[nodiscard]] virtual bool is_cheap() const { return true; }
  // Why every request that comes this way must be refused, as one sentence; nullptr: none.
  [[nodiscard]] virtual const char* complaint() const { return nullptr; }
  // Adds what is proven about the peer. The views are valid as long as the transport.
  virtual void identify(Identity& identity) const = 0;
};

// Makes the transport of an accepted socket, which it borrows.
using TransportMaker = std::function<std::unique_ptr<Transport>(int fd)>;

[[nodiscard]] std::unique_ptr<Transport> make_plain_transport(int fd);

}  // namespace distributex
