// SPDX-License-Identifier: MIT
// A real memcached as a child process, on a free port of 127.0.0.1: started,
// stopped in its tracks, continued, killed, started again where it was. It ends
// with the test, whatever the test does.
#pragma once

#include <stdint.h>
#include <sys/types.h>

#include <string>
#include <string_view>
#include <vector>

namespace distributex::test {

// A TCP port of 127.0.0.1 that was free a moment ago.
[[nodiscard]] uint16_t free_port();
// A TCP connection to 127.0.0.1, blocking; -1 when refused.
[[nodiscard]] int connect_to(uint16_t port);

class Memcached {
 public:
  // With a path it listens there, on a unix socket, and on no port.
  explicit Memcached(std::vector<std::string> options = {"-M"}, std::string path = "")
      : options_(std::move(options)), path_(std::move(path)) {}
  ~Memcached() { kill_now(); }
  Memcached(const Memcached&) = delete;
  Memcached& operator=(const Memcached&) = delete;

  // On a free port, the same with each start; true when it answers.
  [[nodiscard]] bool start();
  void stop();  // SIGSTOP: it answers no more, but the kernel still accepts connections
  void go_on();
  void kill_now();

  [[nodiscard]] uint16_t port() const { return port_; }
  // "127.0.0.1:PORT", or the unix socket's path.
  [[nodiscard]] std::string address() const;
  // Sends one line and returns the first line of what comes back.
  [[nodiscard]] std::string ask(std::string_view line) const;

 private:
  [[nodiscard]] bool is_up() const;
  [[nodiscard]] int connect_here() const;

  std::vector<std::string> options_;
  std::string path_;
  uint16_t port_ = 0;
  pid_t pid_ = -1;
};

}  // namespace distributex::test
