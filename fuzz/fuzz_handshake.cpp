// SPDX-License-Identifier: MIT
// Any bytes, and ClientHellos with any bytes changed, cut anywhere, as what a client sends to
// a TLS address. Nobody ends a handshake
// without computing, so that none of these bytes may be taken for a request, and nothing may
// be proven of their sender; unless they begin as plain HTTP does, and then they must come
// back as they are, with the complaint. In the end no handshake may be left.
#include <sys/socket.h>

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "base/handle.h"
#include "http/tls.h"
#include "support/authority.h"
#include "support/client_hello.h"

using namespace distributex;
using namespace distributex::test;

namespace {

constexpr size_t most_bytes = 32768;  // more would not fit into the socket at once

void check(bool so) {
  if (!so) {
    std::abort();
  }
}

SslContext make_context() {
  const PuppetAuthority puppet;
  const Issued server = puppet.agent("localhost");
  SslContext context{SSL_CTX_new(TLS_server_method())};
  check(SSL_CTX_use_certificate(context.get(), server.certificate.get()) == 1);
  check(SSL_CTX_use_PrivateKey(context.get(), server.key.get()) == 1);
  SSL_CTX_set_verify(context.get(), SSL_VERIFY_PEER, nullptr);
  return context;
}

struct World {
  EventBase base{event_base_new()};
  Tls tls{base.get()};
  TransportMaker maker = tls.maker();
  std::string hellos[2] = {client_hello(TLS1_2_VERSION), client_hello(TLS1_3_VERSION)};

  World() {
    tls.start();
    tls.set_context(make_context());
  }
  [[nodiscard]] uint64_t ended() const {
    uint64_t sum = 0;
    for (const uint64_t count : tls.counts()) {
      sum += count;
    }
    return sum;
  }
};

// The bytes to send. By the first byte of the input they are its other bytes, or a
// ClientHello: then each three bytes change one byte of it, and the rest follows it.
std::string bytes_of(std::string_view input, const World& world) {
  const auto kind = static_cast<unsigned char>(input[0]);
  input.remove_prefix(1);
  if (kind % 3 == 0) {
    return std::string(input.substr(0, most_bytes));
  }
  std::string bytes = world.hellos[kind % 3 - 1];
  for (unsigned changes = kind / 3 % 8; changes > 0 && input.size() >= 3; --changes) {
    const size_t at =
        static_cast<unsigned char>(input[0]) * 256U + static_cast<unsigned char>(input[1]);
    bytes[at % bytes.size()] = input[2];
    input.remove_prefix(3);
  }
  return bytes.append(input.substr(0, most_bytes));
}

struct Reader {
  Transport* transport;
  std::string got{};
  Io::State state = Io::State::wait;

  // Reads until there is nothing more to read now.
  static void on_readable(int, short, void* self) noexcept {
    Reader& reader = *static_cast<Reader*>(self);
    char bytes[4096];
    for (;;) {
      const Io io = reader.transport->read(bytes);
      reader.state = io.state;
      if (io.state != Io::State::done) {
        return;
      }
      reader.got.append(bytes, io.bytes);
    }
  }
  [[nodiscard]] bool is_over() const {
    return state == Io::State::end || state == Io::State::broken;
  }
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static World world;
  if (size < 2) {
    return 0;
  }
  // The first byte says where the bytes are cut in two.
  const std::string bytes = bytes_of({reinterpret_cast<const char*>(data) + 1, size - 1}, world);
  const size_t cut = bytes.size() * data[0] / 255;
  int pair[2];
  check(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, pair) == 0);
  Fd theirs{pair[0]};
  const Fd ours{pair[1]};
  const uint64_t before = world.ended();
  const auto transport = world.maker(ours.get());
  Reader reader{transport.get()};
  const Event readable{
      event_new(world.base.get(), ours.get(), EV_READ, Reader::on_readable, &reader)};
  transport->wakes(*readable);

  const auto run = [&] {
    do {
      if (reader.state != Io::State::wait_event) {
        event_active(readable.get(), EV_READ, 0);
      }
      event_base_loop(world.base.get(), EVLOOP_ONCE);
    } while (reader.state == Io::State::wait_event);
  };
  check(send(theirs.get(), bytes.data(), cut, MSG_NOSIGNAL) == static_cast<ssize_t>(cut));
  run();
  (void)!send(theirs.get(), bytes.data() + cut, bytes.size() - cut, MSG_NOSIGNAL);
  (void)shutdown(theirs.get(), SHUT_WR);
  while (!reader.is_over()) {
    run();
  }
  Identity identity{};
  transport->identify(identity);
  check(!identity.certified);
  const bool plain = !bytes.empty() && bytes[0] >= 'A' && bytes[0] <= 'Z';
  check(plain == (transport->complaint() != nullptr));
  check(plain ? reader.got == bytes : reader.got.empty());
  transport->end();
  check(world.ended() - before == (plain || bytes.empty() ? 0U : 1U));
  return 0;
}
