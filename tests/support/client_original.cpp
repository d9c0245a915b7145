// SPDX-License-Identifier: MIT
// One poll loop in a child process. Requests are GETs of one line that matters;
// a waiting connection is looked at again whenever something has happened.
#include "support/client_original.h"

#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <map>
#include <utility>
#include <vector>

namespace distributex::test {
namespace {

struct Peer {
  int fd;
  std::string input;
  std::string host;  // waits for the lock
};

void count_up(uint64_t* counter) { __atomic_add_fetch(counter, 1, __ATOMIC_RELAXED); }

std::string parameter(const std::string& line, const std::string& name) {
  for (const char* before : {"?", "&"}) {
    const size_t at = line.find(before + name + "=");
    if (at != std::string::npos) {
      const size_t from = at + name.size() + 2;
      return line.substr(from, line.find_first_of("& ", from) - from);
    }
  }
  return "";
}

// What all loops share: accepting, reading a request's head, answering, closing.
class Loop {
 public:
  Loop(int listener, uint64_t* requests) : listener_(listener), requests_(requests) {}
  virtual ~Loop() = default;
  Loop(const Loop&) = delete;
  Loop& operator=(const Loop&) = delete;

  [[noreturn]] void run() {
    for (;;) {
      std::vector<pollfd> waits = {{listener_, POLLIN, 0}};
      for (const Peer& peer : peers_) {
        waits.push_back({peer.fd, POLLIN, 0});
      }
      poll(waits.data(), waits.size(), -1);
      for (size_t i = 1; i < waits.size(); ++i) {
        if (waits[i].revents != 0) {
          read_from(waits[i].fd);
        }
      }
      if (waits[0].revents != 0) {
        peers_.push_back({accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC), {}, {}});
      }
    }
  }

 protected:
  virtual void on_request(Peer& peer, const std::string& line) = 0;
  virtual void on_gone(const Peer&) {}

  void end(int fd, const std::string& bytes) {
    if (!bytes.empty()) {
      (void)!::send(fd, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    }
    shutdown(fd, SHUT_RDWR);
    close(fd);
    std::erase_if(peers_, [fd](const Peer& peer) { return peer.fd == fd; });
  }
  std::vector<Peer> peers_;

 private:
  void read_from(int fd) {
    const auto found = std::find_if(peers_.begin(), peers_.end(),
                                    [fd](const Peer& peer) { return peer.fd == fd; });
    if (found == peers_.end()) {
      return;
    }
    char buffer[4096];
    const ssize_t got = recv(fd, buffer, sizeof buffer, 0);
    if (got <= 0) {
      const Peer gone = *found;
      end(fd, "");
      on_gone(gone);
      return;
    }
    found->input.append(buffer, static_cast<size_t>(got));
    if (found->input.find("\r\n\r\n") != std::string::npos) {
      count_up(requests_);
      const std::string line = found->input.substr(0, found->input.find("\r\n"));
      found->input.clear();
      on_request(*found, line);
    }
  }

  int listener_;
  uint64_t* requests_;
};

class Original : public Loop {
 public:
  using Loop::Loop;

 private:
  static std::string answer(const std::string& word) {
    char size[16];
    snprintf(size, sizeof size, "%zx", word.size());
    return "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nContent-Type: text/html\r\n\r\n" +
           std::string(size) + "\r\n" + word + "\r\n0\r\n\r\n";
  }

  [[nodiscard]] bool may_have(const std::string& host) const {
    return holder_.empty() || holder_ == host;
  }

  void on_request(Peer& peer, const std::string& line) override {
    std::string verb = line.substr(4, line.find_first_of("? ", 4) - 4);
    std::erase(verb, '/');
    const std::string host = parameter(line, "host");
    const bool is_known = parameter(line, "pool") == "one" && !host.empty();
    if (!is_known || (verb != "get" && verb != "wait" && verb != "release")) {
      end(peer.fd, answer("INVALID"));
    } else if (verb == "release") {
      if (holder_ == host) {
        holder_.clear();
      }
      end(peer.fd, answer("OK"));
      serve_waiting();
    } else if (may_have(host)) {
      holder_ = host;
      end(peer.fd, answer("YES"));
    } else if (verb == "get") {
      end(peer.fd, answer("NO"));
    } else {
      peer.host = host;
    }
  }

  void serve_waiting() {
    const auto next = std::find_if(peers_.begin(), peers_.end(),
                                   [](const Peer& peer) { return !peer.host.empty(); });
    if (next != peers_.end()) {
      holder_ = next->host;
      end(next->fd, answer("YES"));
    }
  }

  std::string holder_;
};

class Fixed : public Loop {
 public:
  Fixed(int listener, uint64_t* requests, std::string bytes)
      : Loop(listener, requests), bytes_(std::move(bytes)) {}

 private:
  void on_request(Peer& peer, const std::string&) override { end(peer.fd, bytes_); }

  std::string bytes_;
};

}  // namespace

StandIn StandIn::original() {
  return StandIn([](int listener, uint64_t* requests) { Original(listener, requests).run(); });
}

StandIn StandIn::fixed(std::string bytes) {
  return StandIn(
      [&bytes](int listener, uint64_t* requests) { Fixed(listener, requests, bytes).run(); });
}

StandIn::StandIn(const std::function<void(int, uint64_t*)>& serve) {
  const int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  void* page =
      mmap(nullptr, sizeof(uint64_t), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  if (bind(listener, reinterpret_cast<sockaddr*>(&address), size) != 0 ||
      listen(listener, 64) != 0 ||
      getsockname(listener, reinterpret_cast<sockaddr*>(&address), &size) != 0 ||
      page == MAP_FAILED) {
    perror("test support: stand-in");
    abort();
  }
  port_ = ntohs(address.sin_port);
  requests_ = static_cast<uint64_t*>(page);
  fflush(nullptr);
  pid_ = fork();
  if (pid_ == 0) {
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    serve(listener, requests_);
    _exit(1);
  }
  close(listener);
}

StandIn::StandIn(StandIn&& other) noexcept
    : pid_(std::exchange(other.pid_, -1)),
      port_(other.port_),
      requests_(std::exchange(other.requests_, nullptr)) {}

StandIn::~StandIn() {
  kill_now();
  if (requests_ != nullptr) {
    munmap(requests_, sizeof(uint64_t));
  }
}

size_t StandIn::requests() const { return __atomic_load_n(requests_, __ATOMIC_RELAXED); }

void StandIn::kill_now() {
  if (pid_ > 0) {
    kill(pid_, SIGKILL);
    waitpid(pid_, nullptr, 0);
    pid_ = -1;
  }
}

}  // namespace distributex::test
