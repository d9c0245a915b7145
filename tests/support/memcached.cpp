// SPDX-License-Identifier: MIT
// Starting, stopping and asking a memcached.
#include "support/memcached.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "support/daemon.h"
#include "support/http.h"

namespace distributex::test {

namespace {

sockaddr_in loopback(uint16_t port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(port);
  return address;
}

sockaddr* generic(sockaddr_in& address) {
  void* bytes = &address;
  return static_cast<sockaddr*>(bytes);
}

}  // namespace

uint16_t free_port() {
  const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address = loopback(0);
  socklen_t size = sizeof address;
  const bool ok =
      bind(fd, generic(address), size) == 0 && getsockname(fd, generic(address), &size) == 0;
  ::close(fd);
  return ok ? ntohs(address.sin_port) : uint16_t{0};
}

int connect_to(uint16_t port) {
  const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address = loopback(port);
  if (connect(fd, generic(address), sizeof address) == 0) {
    return fd;
  }
  ::close(fd);
  return -1;
}

bool Memcached::start() {
  if (port_ == 0) {
    port_ = free_port();
  }
  std::vector<std::string> words{"memcached", "-u", "root", "-t", "1"};
  const std::vector<std::string> place =
      path_.empty()
          ? std::vector<std::string>{"-l", "127.0.0.1", "-p", std::to_string(port_), "-U", "0"}
          : std::vector<std::string>{"-s", path_};
  words.insert(words.end(), place.begin(), place.end());
  words.insert(words.end(), options_.begin(), options_.end());
  std::vector<char*> args;
  for (std::string& word : words) {
    args.push_back(word.data());
  }
  args.push_back(nullptr);
  pid_ = fork();
  if (pid_ == 0) {
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    execvp("memcached", args.data());
    _exit(127);
  }
  return eventually([this] { return is_up() || waitpid(pid_, nullptr, WNOHANG) != 0; }) && is_up();
}

bool Memcached::is_up() const { return ask("version").starts_with("VERSION"); }

void Memcached::stop() {
  if (pid_ > 0) {  // -1 would be every process there is
    stop_process(pid_);
  }
}
void Memcached::go_on() {
  if (pid_ > 0) {
    kill(pid_, SIGCONT);
  }
}

void Memcached::kill_now() {
  if (pid_ <= 0) {
    return;
  }
  kill(pid_, SIGKILL);
  waitpid(pid_, nullptr, 0);
  pid_ = -1;
}

std::string Memcached::address() const {
  return path_.empty() ? "127.0.0.1:" + std::to_string(port_) : path_;
}

int Memcached::connect_here() const {
  if (path_.empty()) {
    return connect_to(port_);
  }
  const int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  path_.copy(address.sun_path, sizeof address.sun_path - 1);
  const void* bytes = &address;
  if (connect(fd, static_cast<const sockaddr*>(bytes), sizeof address) == 0) {
    return fd;
  }
  ::close(fd);
  return -1;
}

std::string Memcached::ask(std::string_view line) const {
  const int fd = connect_here();
  if (fd < 0) {
    return "";
  }
  const std::string command = std::string(line) + "\r\n";
  std::string answer;
  if (write(fd, command.data(), command.size()) == static_cast<ssize_t>(command.size())) {
    char c = 0;
    while (answer.size() < 1000 && read(fd, &c, 1) == 1 && c != '\r') {
      answer += c;
    }
  }
  ::close(fd);
  return answer;
}

}  // namespace distributex::test
