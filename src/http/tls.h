// SPDX-License-Identifier: MIT
// What all TLS connections share: the context that new ones begin with, their
// handshakes, and how those ended. A handshake costs up to some milliseconds of
// computing: one step of one handshake is done in a pass of the loop, so that the
// requests of others are not kept waiting, and unfinished ones are bounded.
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
  refused,  // no version, cipher, protocol or record that both know
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

  // For connections that begin from now on; the others keep theirs.
  void set_context(SslContext context) { context_ = std::move(context); }
  // The transports borrow this.
  [[nodiscard]] TransportMaker maker();
  [[nodiscard]] const HandshakeCounts& counts() const { return counts_; }

 private:
  friend class TlsTransport;
  static void on_pass(int, short, void* self) noexcept;

  // Begins, or nullptr: there are too many, or no memory.
  [[nodiscard]] Ssl begin(TlsTransport& transport, int fd);
  [[nodiscard]] bool may_step();
  void ended(TlsTransport& transport, Handshake how);

  SslContext context_;
  std::list<TlsTransport*> handshakes_;  // not ended yet, oldest first
  size_t most_at_once_ = 0;              // since there was none
  Event pass_;
  bool stepped_ = false;  // in this pass
  HandshakeCounts counts_{};
};

}  // namespace distributex
