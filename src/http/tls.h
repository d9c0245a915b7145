// SPDX-License-Identifier: MIT
// What all TLS connections share: the context of new connections, the unfinished
// handshakes, and how handshakes ended. A handshake costs up to some milliseconds of
// computing: so one pass of the loop does one step of one handshake, and the requests of
// others do not wait long. Unfinished handshakes are bounded.
#pragma once

#include <array>
#include <cstdint>
#include <list>

#include "base/handle.h"
#include "base/time.h"
#include "http/openssl.h"
#include "http/transport.h"

namespace distributex {

class TlsTransport;

enum class Handshake : uint8_t {
  full,
  resumed,
  refused,  // the two sides have no version, cipher or protocol in common, or it is no TLS
  left      // the client went away or was cut off before the end
};
inline constexpr size_t handshake_count = static_cast<size_t>(Handshake::left) + 1;
using HandshakeCounts = std::array<uint64_t, handshake_count>;
[[nodiscard]] const char* handshake_name(Handshake handshake);

class Tls {
 public:
  explicit Tls(event_base* base);
  Tls(const Tls&) = delete;
  Tls& operator=(const Tls&) = delete;

  // Connections that begin from now on use this context; the others keep theirs.
  void set_context(SslContext context) { context_ = std::move(context); }
  // The transports that it makes borrow this object.
  [[nodiscard]] TransportMaker maker();
  [[nodiscard]] const HandshakeCounts& counts() const { return counts_; }

 private:
  friend class TlsTransport;
  static void on_pass(int, short, void* self) noexcept;

  // Begins a handshake. nullptr: there are too many, no context, or no memory.
  [[nodiscard]] Ssl begin(TlsTransport& transport, int fd);
  [[nodiscard]] bool may_step();
  void ended(TlsTransport& transport, Handshake how);

  SslContext context_;
  std::list<TlsTransport*> handshakes_;  // unfinished ones, oldest first
  size_t most_at_once_ = 0;              // the most since handshakes_ was empty
  Event pass_;
  bool stepped_ = false;  // this pass of the loop has done its step
  HandshakeCounts counts_{};
};

}  // namespace distributex
