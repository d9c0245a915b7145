// SPDX-License-Identifier: MIT
// Requests are small and go out in one write; replies have a Content-Length.
#include "load_net.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <unistd.h>

#include <algorithm>
#include <utility>

namespace bench {

namespace {

constexpr int batch = 512;
constexpr auto patience = std::chrono::seconds(600);  // under callgrind, on a busy machine

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

Client::Client(Loop& loop, const Address& address, size_t number)
    : loop_(loop), address_(address), number_(number) {
  reconnect();
}

void Client::reconnect() {
  channel_ = std::make_unique<Channel>(address_, number_);
  loop_.watch(channel_->fd(), *this);
}

void Client::ask(std::string_view target) {
  request_.assign("GET ").append(target).append(" HTTP/1.1\r\nHost: localhost\r\n\r\n");
  asked_ = Clock::now();
  channel_->send(request_);
}

void Client::readable() {
  char bytes[8192];
  const size_t size = channel_->receive(bytes, sizeof bytes);
  if (size == 0) {
    return;
  }
  reply_.append(bytes, size);
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

void Loop::watch(int fd, Watched& watched) {
  epoll_event event{};
  event.events = EPOLLIN;
  event.data.ptr = &watched;
  if (epoll_ctl(epoll_, EPOLL_CTL_ADD, fd, &event) != 0) {
    give_up("epoll_ctl", true);
  }
}

void Loop::look(int milliseconds) {
  epoll_event events[batch];
  const int count = epoll_wait(epoll_, events, batch, milliseconds);
  for (int i = 0; i < count; ++i) {
    static_cast<Watched*>(events[i].data.ptr)->readable();
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

Clients connect(Loop& loop, const Address& address, size_t count, size_t first_number) {
  Clients clients;
  clients.reserve(count);
  for (size_t i = 0; i < count; ++i) {
    clients.push_back(std::make_unique<Client>(loop, address, first_number + i));
  }
  return clients;
}

}  // namespace bench
