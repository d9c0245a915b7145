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
  // Clients come from 127.0.0.1, .2 and so on by their numbers, not to run out of ports.
  Channel(const Address& address, size_t number);
  ~Channel();
  Channel(const Channel&) = delete;
  Channel& operator=(const Channel&) = delete;

  [[nodiscard]] int fd() const { return fd_; }
  void send(std::string_view bytes);
  // How much has come: 0 when there is nothing now. A server that has closed ends the
  // program.
  [[nodiscard]] size_t receive(char* bytes, size_t size);

 private:
  struct FreeSsl {
    void operator()(ssl_st* ssl) const;
  };

  int fd_;
  std::unique_ptr<ssl_st, FreeSsl> ssl_;  // nothing: plain
};

}  // namespace bench
