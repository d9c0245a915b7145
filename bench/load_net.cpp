// SPDX-License-Identifier: MIT
// Requests are small and go out in one write; replies have a Content-Length.
#include "load_net.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <utility>

namespace bench {

namespace {

constexpr size_t clients_an_address = 20000;  // there are not more free ports
constexpr int batch = 512;
constexpr auto patience = std::chrono::seconds(120);

// Clients come from 127.0.0.1, .2 and so on, not to run out of ports.
int connected_socket(uint16_t port, size_t number) {
  const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (fd < 0) {
    give_up("socket", true);
  }
  const int one = 1;
  setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
  sockaddr_in at{};
  at.sin_family = AF_INET;
  if (const size_t address = number / clients_an_address; address > 0) {
    setsockopt(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &one, sizeof one);
    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK + static_cast<uint32_t>(address));
    if (bind(fd, reinterpret_cast<sockaddr*>(&at), sizeof at) != 0) {
      give_up("bind", true);
    }
  }
  at.sin_port = htons(port);
  at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (connect(fd, reinterpret_cast<sockaddr*>(&at), sizeof at) != 0) {
    give_up("connect", true);
  }
  return fd;
}

// The length of the head and of the whole reply, or nought.
struct Lengths {
  size_t head = 0;
  size_t whole = 0;
};

Lengths lengths_of(std::string_view reply) {
  constexpr std::string_view name = "\r\nContent-Length: ";
  const size_t end = reply.find("\r\n\r\n");
  if (end == reply.npos) {
    return {};
  }
  const size_t found = reply.substr(0, end).find(name);
  if (found == reply.npos) {
    give_up("a reply without Content-Length");
  }
  const size_t body = strtoul(reply.data() + found + name.size(), nullptr, 10);
  return {end + 4, end + 4 + body};
}

}  // namespace

void give_up(const char* what, bool with_errno) {
  if (with_errno) {
    perror(what);
  } else {
    fprintf(stderr, "%s\n", what);
  }
  exit(EXIT_FAILURE);
}

Client::Client(Loop& loop, uint16_t port, size_t number)
    : fd_(connected_socket(port, number)), number_(number) {
  epoll_event event{};
  event.events = EPOLLIN;
  event.data.ptr = this;
  if (epoll_ctl(loop.epoll_, EPOLL_CTL_ADD, fd_, &event) != 0) {
    give_up("epoll_ctl", true);
  }
}

Client::~Client() { close(fd_); }

void Client::ask(std::string_view target) {
  request_.assign("GET ").append(target).append(" HTTP/1.1\r\nHost: localhost\r\n\r\n");
  asked_ = Clock::now();
  const ssize_t sent = send(fd_, request_.data(), request_.size(), MSG_NOSIGNAL);
  if (sent != static_cast<ssize_t>(request_.size())) {
    give_up("send", true);
  }
}

void Client::readable() {
  char bytes[8192];
  const ssize_t size = recv(fd_, bytes, sizeof bytes, MSG_DONTWAIT);
  if (size < 0 && (errno == EAGAIN || errno == EINTR)) {
    return;
  }
  if (size <= 0) {
    give_up("the server has closed a connection");
  }
  reply_.append(bytes, static_cast<size_t>(size));
  const Lengths lengths = lengths_of(reply_);
  if (lengths.whole == 0 || reply_.size() < lengths.whole) {
    return;
  }
  if (!reply_.starts_with("HTTP/1.1 200 ")) {
    give_up(reply_.c_str());
  }
  const std::string reply = std::exchange(reply_, {});
  if (done_) {
    done_(*this, std::string_view(reply).substr(lengths.head));
  }
}

Loop::Loop() : epoll_(epoll_create1(EPOLL_CLOEXEC)) {
  if (epoll_ < 0) {
    give_up("epoll_create", true);
  }
}

Loop::~Loop() { close(epoll_); }

void Loop::look(int milliseconds) {
  epoll_event events[batch];
  const int count = epoll_wait(epoll_, events, batch, milliseconds);
  for (int i = 0; i < count; ++i) {
    static_cast<Client*>(events[i].data.ptr)->readable();
  }
  if (then_) {
    then_();
  }
}

void Loop::run_until(Time end) {
  do {
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(end - Clock::now());
    look(static_cast<int>(std::clamp<int64_t>(left.count(), 0, 1000)));
  } while (Clock::now() < end);
}

void Loop::run_while(const std::function<bool()>& goes_on) {
  const Time latest = Clock::now() + patience;
  while (goes_on()) {
    if (Clock::now() > latest) {
      give_up("the server takes too long");
    }
    look(100);
  }
}

Clients connect(Loop& loop, uint16_t port, size_t count, size_t first_number) {
  Clients clients;
  clients.reserve(count);
  for (size_t i = 0; i < count; ++i) {
    clients.push_back(std::make_unique<Client>(loop, port, first_number + i));
  }
  return clients;
}

}  // namespace bench
