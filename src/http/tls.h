// SPDX-License-Identifier: MIT
// What all TLS connections share: the context of new connections, the unfinished
// handshakes, the thread that computes them, and how handshakes ended. Unfinished
// handshakes are bounded.
#pragma once

#include <array>
#include <cstdint>
#include <list>
#include <memory>
#include <utility>

#include "base/time.h"
#include "http/handshaker.h"
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
  explicit Tls(event_base* base) : base_(base) {}
  Tls(const Tls&) = delete;
  Tls& operator=(const Tls&) = delete;

  // Starts the thread; to be called before the first connection.
  void start();
  // Connections that begin from now on use this context; the others keep theirs.
  void set_context(SslContext context) { context_ = std::move(context); }
  // The transports that it makes borrow this object.
  [[nodiscard]] TransportMaker maker();
  [[nodiscard]] const HandshakeCounts& counts() const { return counts_; }

 private:
  friend class TlsTransport;
  // Begins a handshake. false: there are too many, or there is no context.
  [[nodiscard]] bool begin(TlsTransport& transport);
  void ended(TlsTransport& transport, Handshake how);

  event_base* base_;
  SslContext context_;
  std::unique_ptr<Handshaker> handshaker_;
  std::list<TlsTransport*> handshakes_;  // unfinished ones, oldest first
  size_t most_at_once_ = 0;              // the most since handshakes_ was empty
  HandshakeCounts counts_{};
};

}  // namespace distributex
