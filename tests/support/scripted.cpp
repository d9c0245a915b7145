// SPDX-License-Identifier: MIT
// Reads requests with a Content-Length, one after the other.
#include "support/scripted.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>

namespace distributex::test {

std::string scripted_answer(std::string_view body, int status) {
  return "HTTP/1.1 " + std::to_string(status) + " Said\r\nContent-Type: application/json\r\n" +
         "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n" + std::string(body);
}

std::string scripted_stream(std::string_view first) {
  return "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n" + std::string(first);
}

ScriptedHttp::ScriptedHttp(Reply reply) : reply_(std::move(reply)), wake_(eventfd(0, EFD_CLOEXEC)) {
  listener_ = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  void* bytes = &address;
  auto* generic = static_cast<sockaddr*>(bytes);
  if (bind(listener_, generic, size) != 0 || listen(listener_, 64) != 0 ||
      getsockname(listener_, generic, &size) != 0) {
    abort();
  }
  port_ = ntohs(address.sin_port);
  thread_ = std::thread([this] { run(); });
}

ScriptedHttp::~ScriptedHttp() {
  const uint64_t one = 1;
  if (write(wake_, &one, sizeof one) != sizeof one) {
    abort();
  }
  thread_.join();
  for (const Client& client : clients_) {
    close(client.fd);
  }
  close(listener_);
  close(wake_);
}

std::vector<ScriptedRequest> ScriptedHttp::requests() const {
  const std::lock_guard guard(lock_);
  return requests_;
}

size_t ScriptedHttp::count(std::string_view path) const {
  const std::lock_guard guard(lock_);
  return static_cast<size_t>(std::count_if(requests_.begin(), requests_.end(),
                                           [&](const auto& r) { return r.path == path; }));
}

void ScriptedHttp::run() {
  for (;;) {
    std::vector<pollfd> fds{{wake_, POLLIN, 0}, {listener_, POLLIN, 0}};
    for (const Client& client : clients_) {
      fds.push_back({client.fd, POLLIN, 0});
    }
    if (poll(fds.data(), fds.size(), -1) < 0) {
      continue;
    }
    if (fds[0].revents != 0) {
      return;
    }
    size_t i = 2;
    for (auto client = clients_.begin(); client != clients_.end();) {
      const auto next = std::next(client);
      if (fds[i++].revents != 0 && !serve(*client)) {
        close(client->fd);
        clients_.erase(client);
      }
      client = next;
    }
    if (fds[1].revents != 0) {
      const int fd = accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
      if (fd >= 0) {
        clients_.push_back({fd});
      }
    }
  }
}

bool ScriptedHttp::take(std::string& unread, ScriptedRequest& request) {
  const size_t end = unread.find("\r\n\r\n");
  if (end == std::string::npos) {
    return false;
  }
  request.head = unread.substr(0, end);
  const size_t at = request.head.find("Content-Length: ");
  const size_t length = at == std::string::npos ? 0 : std::stoul(request.head.substr(at + 16));
  if (unread.size() < end + 4 + length) {
    return false;
  }
  request.body = unread.substr(end + 4, length);
  const size_t path = request.head.find(' ') + 1;
  request.path = request.head.substr(path, request.head.find(' ', path) - path);
  unread.erase(0, end + 4 + length);
  return true;
}

bool ScriptedHttp::serve(Client& client) {
  char bytes[65536];
  const ssize_t got = recv(client.fd, bytes, sizeof bytes, 0);
  if (got <= 0) {
    return false;
  }
  client.unread.append(bytes, static_cast<size_t>(got));
  ScriptedRequest request;
  while (take(client.unread, request)) {
    {
      const std::lock_guard guard(lock_);
      requests_.push_back(request);
    }
    const auto answer = reply_(request);
    if (!answer) {
      return false;
    }
    if (send(client.fd, answer->data(), answer->size(), MSG_NOSIGNAL) < 0) {
      return false;
    }
  }
  return true;
}

}  // namespace distributex::test
