// SPDX-License-Identifier: MIT
// What stands between a connection and its socket: all bytes that it reads and
// writes, and what is proven of its peer. A transport never blocks, and knows
// no HTTP.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <span>
#include <string_view>

#include "lock/identity.h"

namespace distributex {

struct Io {
  enum class State {
    done,        // bytes were moved, at least one
    wait,        // try again when the socket is ready in the same direction
    wait_other,  // when it is ready in the other one
    end,         // read: the peer has ended what it sends, in order
    broken       // nothing more can be moved
  };
  State state;
  size_t bytes = 0;
};

class Transport {
 public:
  virtual ~Transport() = default;
  [[nodiscard]] virtual Io read(std::span<char> into) = 0;
  // What was not moved is given again, from its first byte and not shorter than
  // before, or than 16 KiB.
  [[nodiscard]] virtual Io write(std::string_view bytes) = 0;
  // Whether read() has bytes that the socket, read empty, does not show.
  [[nodiscard]] virtual bool has_pending() const = 0;
  // Last words, without waiting; then the socket is closed.
  virtual void end() = 0;
  // Whether a word to the peer costs next to nothing.
  [[nodiscard]] virtual bool is_cheap() const { return true; }
  // What is wrong with whatever comes this way, as one sentence; nullptr: nothing.
  [[nodiscard]] virtual const char* complaint() const { return nullptr; }
  // Adds what is proven of the peer to its address; views into the transport.
  virtual void identify(Identity& identity) const = 0;
};

// Makes the transport of an accepted socket, which it borrows.
using TransportMaker = std::function<std::unique_ptr<Transport>(int fd)>;

[[nodiscard]] std::unique_ptr<Transport> make_plain_transport(int fd);

}  // namespace distributex
