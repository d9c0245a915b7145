// SPDX-License-Identifier: MIT
// One connection to a server on this machine, plain or TLS. Connecting blocks, so that
// what is measured afterwards has no handshake in it.
#pragma once

#include <stdint.h>
#include <sys/types.h>

#include <memory>
#include <string_view>

struct ssl_st;

namespace bench {

struct Address {
  uint16_t port = 0;
  bool tls = false;
};

class Channel {
 public:
  // Client numbers choose the source address (127.0.0.1, .2 and so on), so that there are
  // enough ports.
  Channel(const Address& address, size_t number);
  ~Channel();
  Channel(const Channel&) = delete;
  Channel& operator=(const Channel&) = delete;

  [[nodiscard]] int fd() const { return fd_; }
  void send(std::string_view bytes);
  // Returns how many bytes have come; 0: none now. If the server has closed the connection,
  // the program ends.
  [[nodiscard]] size_t receive(char* bytes, size_t size);

 private:
  struct FreeSsl {
    void operator()(ssl_st* ssl) const;
  };

  int fd_;
  std::unique_ptr<ssl_st, FreeSsl> ssl_;  // nothing: plain
};

}  // namespace bench
