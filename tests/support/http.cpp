// SPDX-License-Identifier: MIT
// Sockets that never block: each wait is a poll() with a deadline.
#include "support/http.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>

namespace distributex::test {
namespace {

bool same_name(std::string_view a, std::string_view b) {
  return a.size() == b.size() && strncasecmp(a.data(), b.data(), a.size()) == 0;
}

struct SocketAddress {
  sockaddr_storage storage{};
  socklen_t length = 0;
  [[nodiscard]] const sockaddr* get() const { return reinterpret_cast<const sockaddr*>(&storage); }
};

SocketAddress unix_address(std::string_view path) {
  SocketAddress made;
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  memcpy(address.sun_path, path.data(), std::min(path.size(), sizeof address.sun_path - 1));
  memcpy(&made.storage, &address, sizeof address);
  made.length = sizeof address;
  return made;
}

SocketAddress inet_address(std::string_view text) {
  SocketAddress made;
  const size_t colon = text.rfind(':');
  const std::string host(text.substr(0, colon));
  const auto port = static_cast<uint16_t>(atoi(std::string(text.substr(colon + 1)).c_str()));
  if (host.starts_with('[')) {
    sockaddr_in6 address{};
    address.sin6_family = AF_INET6;
    address.sin6_port = htons(port);
    inet_pton(AF_INET6, host.substr(1, host.size() - 2).c_str(), &address.sin6_addr);
    memcpy(&made.storage, &address, sizeof address);
    made.length = sizeof address;
  } else {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    inet_pton(AF_INET, host.c_str(), &address.sin_addr);
    memcpy(&made.storage, &address, sizeof address);
    made.length = sizeof address;
  }
  return made;
}

// Reads the status line and the headers, without the empty line at the end.
std::optional<Response> parse_head(std::string_view head) {
  Response response;
  const size_t line_end = std::min(head.find("\r\n"), head.size());
  const std::string_view line = head.substr(0, line_end);
  const size_t space = line.find(' ');
  if (!line.starts_with("HTTP/") || space == std::string_view::npos || line.size() < space + 4) {
    return std::nullopt;
  }
  response.version = line.substr(0, space);
  response.status = atoi(std::string(line.substr(space + 1, 3)).c_str());
  response.reason = line.size() > space + 5 ? line.substr(space + 5) : "";
  head.remove_prefix(line_end);
  while (head.size() > 2) {
    head.remove_prefix(2);
    const std::string_view one = head.substr(0, std::min(head.find("\r\n"), head.size()));
    const size_t colon = one.find(':');
    if (colon == std::string_view::npos) {
      return std::nullopt;
    }
    std::string_view value = one.substr(colon + 1);
    value.remove_prefix(std::min(value.find_first_not_of(' '), value.size()));
    response.headers.emplace_back(one.substr(0, colon), value);
    head.remove_prefix(one.size());
  }
  return response;
}

}  // namespace

std::string Response::header(std::string_view name) const {
  for (const auto& [key, value] : headers) {
    if (same_name(key, name)) {
      return value;
    }
  }
  return "";
}

size_t Response::count(std::string_view name) const {
  return static_cast<size_t>(std::count_if(
      headers.begin(), headers.end(), [&](const auto& one) { return same_name(one.first, name); }));
}

Connection::Connection(uint16_t port) { connect_to("127.0.0.1:" + std::to_string(port)); }

Connection::Connection(std::string_view address) { connect_to(address); }

Connection::Connection(std::string_view address, std::string_view from) {
  connect_to(address, from);
}

Connection::~Connection() { close(); }

Connection::Connection(Connection&& other) noexcept
    : fd_(std::exchange(other.fd_, -1)), end_(other.end_), unread_(std::move(other.unread_)) {}

Connection& Connection::operator=(Connection&& other) noexcept {
  if (this != &other) {
    close();
    fd_ = std::exchange(other.fd_, -1);
    end_ = other.end_;
    unread_ = std::move(other.unread_);
  }
  return *this;
}

void Connection::connect_to(std::string_view address, std::string_view from) {
  const bool local = address.starts_with("unix:");
  const SocketAddress to = local ? unix_address(address.substr(5)) : inet_address(address);
  fd_ = socket(to.storage.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  const int on = 1;
  if (!local) {
    setsockopt(fd_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  }
  const SocketAddress own = from.empty() ? SocketAddress{} : inet_address(from);
  if (own.length > 0 && bind(fd_, own.get(), own.length) != 0) {
    return close();
  }
  int error = ::connect(fd_, to.get(), to.length) == 0 ? 0 : errno;
  if (error == EINPROGRESS && wait_for(POLLOUT, Clock::now() + patience)) {
    socklen_t size = sizeof error;
    getsockopt(fd_, SOL_SOCKET, SO_ERROR, &error, &size);
  }
  if (error != 0) {
    close();
  }
}

bool Connection::wait_for(short events, Clock::time_point deadline) {
  for (;;) {
    const auto left = std::chrono::ceil<milliseconds>(deadline - Clock::now());
    pollfd waits{fd_, events, 0};
    const int ready = poll(&waits, 1, static_cast<int>(std::max<long>(left.count(), 0)));
    if (ready >= 0 || errno != EINTR) {
      return ready > 0;
    }
  }
}

ssize_t Connection::send_some(std::string_view bytes) {
  const ssize_t sent = ::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
  return sent < 0 && errno == EAGAIN ? 0 : sent;
}

bool Connection::send(std::string_view bytes) {
  const Clock::time_point deadline = Clock::now() + patience;
  while (!bytes.empty()) {
    const ssize_t sent = send_some(bytes);
    if (sent < 0 || (sent == 0 && !wait_for(POLLOUT, deadline))) {
      return false;
    }
    bytes.remove_prefix(static_cast<size_t>(sent));
  }
  return true;
}

bool Connection::receive() {
  char buffer[65536];
  const ssize_t got = fd_ < 0 || end_ != End::none ? 0 : recv(fd_, buffer, sizeof buffer, 0);
  if (got > 0) {
    unread_.append(buffer, static_cast<size_t>(got));
    return true;
  }
  if (end_ == End::none && got == 0) {
    end_ = End::eof;
  } else if (got < 0 && errno != EAGAIN && errno != EINTR) {
    end_ = End::reset;
  }
  return false;
}

namespace {

// Takes whole chunks from `rest`, up to and with the last one; false while that is
// not there.
bool take_chunks(std::string_view& rest, std::string& body) {
  for (;;) {
    const size_t line = rest.find("\r\n");
    if (line == rest.npos) {
      return false;
    }
    const size_t size = strtoul(std::string(rest.substr(0, line)).c_str(), nullptr, 16);
    if (rest.size() < line + 2 + size + 2) {
      return false;
    }
    body += rest.substr(line + 2, size);
    rest.remove_prefix(line + 2 + size + 2);
    if (size == 0) {
      return true;
    }
  }
}

}  // namespace

std::optional<Response> Connection::response(bool to_head, milliseconds timeout) {
  const Clock::time_point deadline = Clock::now() + timeout;
  const auto more = [&] { return receive() || (end_ == End::none && wait_for(POLLIN, deadline)); };
  size_t head_end = 0;
  while ((head_end = unread_.find("\r\n\r\n")) == std::string::npos) {
    if (!more()) {
      return std::nullopt;
    }
  }
  std::optional<Response> made = parse_head(std::string_view(unread_).substr(0, head_end));
  if (!made) {
    return std::nullopt;
  }
  if (!to_head && made->header("Transfer-Encoding") == "chunked") {
    size_t taken = head_end + 4;
    for (;;) {
      std::string_view rest = std::string_view(unread_).substr(taken);
      const bool whole = take_chunks(rest, made->body);
      taken = unread_.size() - rest.size();
      if (whole) {
        unread_.erase(0, taken);
        return made;
      }
      if (!more()) {
        return std::nullopt;
      }
    }
  }
  const std::string length = made->header("Content-Length");
  made->by_length = !length.empty();
  const size_t body_at = head_end + 4;
  size_t size = to_head ? 0 : static_cast<size_t>(strtoul(length.c_str(), nullptr, 10));
  while (made->by_length ? unread_.size() < body_at + size : !to_head && end_ == End::none) {
    if (!more() && end_ == End::none) {
      return std::nullopt;
    }
    if (made->by_length && end_ != End::none && unread_.size() < body_at + size) {
      return std::nullopt;
    }
  }
  if (!made->by_length && !to_head) {
    size = unread_.size() - body_at;
  }
  made->body = unread_.substr(body_at, size);
  unread_.erase(0, body_at + size);
  return made;
}

bool Connection::quiet() {
  while (receive()) {
  }
  return unread_.empty() && end_ == End::none;
}

bool Connection::wait_readable(milliseconds timeout) {
  return wait_for(POLLIN, Clock::now() + timeout);
}

bool Connection::wait_writable(milliseconds timeout) {
  return wait_for(POLLOUT, Clock::now() + timeout);
}

End Connection::wait_end(milliseconds timeout) {
  const Clock::time_point deadline = Clock::now() + timeout;
  while (receive() || (end_ == End::none && wait_for(POLLIN, deadline))) {
  }
  return end_;
}

void Connection::half_close() { shutdown(fd_, SHUT_WR); }

void Connection::close() {
  if (fd_ >= 0) {
    ::close(std::exchange(fd_, -1));
  }
}

void Connection::reset() {
  const linger now{1, 0};
  setsockopt(fd_, SOL_SOCKET, SO_LINGER, &now, sizeof now);
  close();
}

std::string get_request(std::string_view target, std::string_view extra) {
  return "GET " + std::string(target) + " HTTP/1.1\r\nHost: localhost\r\n" + std::string(extra) +
         "\r\n";
}

std::string post_request(std::string_view target, std::string_view form, std::string_view extra) {
  return "POST " + std::string(target) +
         " HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/x-www-form-urlencoded\r\n" +
         "Content-Length: " + std::to_string(form.size()) + "\r\n" + std::string(extra) + "\r\n" +
         std::string(form);
}

Response fetch(Connection& connection, std::string_view target, std::string_view extra) {
  if (!connection.connected() || !connection.send(get_request(target, extra))) {
    return {};
  }
  return connection.response().value_or(Response{});
}

Response fetch(uint16_t port, std::string_view target, std::string_view extra) {
  Connection connection(port);
  return fetch(connection, target, extra);
}

std::string word(Connection& connection, std::string_view target) {
  return fetch(connection, target).body;
}

std::string word(uint16_t port, std::string_view target) { return fetch(port, target).body; }

bool eventually(const std::function<bool()>& so, milliseconds timeout) {
  const Clock::time_point deadline = Clock::now() + timeout;
  while (!so()) {
    if (Clock::now() >= deadline) {
      return false;
    }
    poll(nullptr, 0, 2);
  }
  return true;
}

}  // namespace distributex::test
