// SPDX-License-Identifier: MIT
// An HTTP client of raw sockets for tests: sends any bytes, reads one answer
// at a time, tells FIN from RST, leaves in each of the ways a client can.
// Knows no pools. Every wait has an end, and ends by an event.
#pragma once

#include <stddef.h>
#include <stdint.h>

#include <chrono>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "support/daemon.h"

namespace distributex::test {

struct Response {
  int status = 0;
  std::string version;  // "HTTP/1.1"
  std::string reason;
  std::vector<std::pair<std::string, std::string>> headers;  // in order, names as sent
  std::string body;
  bool by_length = false;  // the body's end was told by Content-Length

  // The first header of that name, in any case; "" when there is none.
  [[nodiscard]] std::string header(std::string_view name) const;
  [[nodiscard]] size_t count(std::string_view name) const;
};

enum class End { none, eof, reset };

class Connection {
 public:
  Connection() = default;
  // To 127.0.0.1.
  explicit Connection(uint16_t port);
  // To an address as the daemon logs it: 127.0.0.1:80, [::1]:80, unix:/path.
  explicit Connection(std::string_view address);
  // The same, from an address of this machine: "127.0.0.2:0".
  Connection(std::string_view address, std::string_view from);
  ~Connection();
  Connection(Connection&& other) noexcept;
  Connection& operator=(Connection&& other) noexcept;

  [[nodiscard]] bool connected() const { return fd_ >= 0; }
  [[nodiscard]] int fd() const { return fd_; }

  // Sends all of it; false when the other side does not take it.
  bool send(std::string_view bytes);
  // Sends what goes without waiting; -1 on an error such as EPIPE.
  [[nodiscard]] ssize_t send_some(std::string_view bytes);

  // The next answer, whole; nothing when it does not come or is malformed.
  // An answer to HEAD has no body, whatever its length says.
  [[nodiscard]] std::optional<Response> response(bool to_head = false,
                                                 milliseconds timeout = patience);
  // Whether nothing has come that no response() has taken; looks, not waits.
  [[nodiscard]] bool quiet();
  // Waits for bytes or the end.
  [[nodiscard]] bool wait_readable(milliseconds timeout = patience);
  [[nodiscard]] bool wait_writable(milliseconds timeout = patience);
  // Takes all bytes until the other side ends it; none when it does not.
  [[nodiscard]] End wait_end(milliseconds timeout = patience);
  // Bytes received and not taken by response().
  [[nodiscard]] const std::string& unread() const { return unread_; }

  void half_close();  // FIN, and reads on
  void close();       // FIN, or RST when bytes are unread
  void reset();       // RST

 private:
  void connect_to(std::string_view address, std::string_view from = {});
  // One recv: false when it would block, or at the end.
  bool receive();
  bool wait_for(short events, Clock::time_point deadline);

  int fd_ = -1;
  End end_ = End::none;
  std::string unread_;
};

// "GET target HTTP/1.1" with a Host; extra is header lines, each with CR LF.
[[nodiscard]] std::string get_request(std::string_view target, std::string_view extra = "");
[[nodiscard]] std::string post_request(std::string_view target, std::string_view form,
                                       std::string_view extra = "");

// One GET over that connection, or over a fresh one; status 0 when no answer.
[[nodiscard]] Response fetch(Connection& connection, std::string_view target,
                             std::string_view extra = "");
[[nodiscard]] Response fetch(uint16_t port, std::string_view target, std::string_view extra = "");

// The body of the same.
[[nodiscard]] std::string word(Connection& connection, std::string_view target);
[[nodiscard]] std::string word(uint16_t port, std::string_view target);

// Pipelines the request and reads nothing until the daemon at the connection's
// other end, an IPv4 address of this machine, can do no more for it: true.
// False when it has taken so many bytes, or ends the connection.
[[nodiscard]] bool stuff(Connection& greedy, std::string_view request, size_t most = 64u << 20);

// Asks again until it is so; false when it is not so in time.
[[nodiscard]] bool eventually(const std::function<bool()>& so, milliseconds timeout = patience);

}  // namespace distributex::test
