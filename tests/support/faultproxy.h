// SPDX-License-Identifier: MIT
// A TCP proxy in front of a server that can be told to misbehave: to drip its
// answers byte by byte, to hold each back for 0.8 s, to cut a connection in the
// midst of an answer, to let nothing through. One thread; the mode may change at
// any time.
#pragma once

#include <stdint.h>

#include <atomic>
#include <chrono>
#include <list>
#include <string>
#include <thread>

namespace distributex::test {

class FaultProxy {
 public:
  enum class Mode { pass, drip, late, cut, stall };

  // Listens at once on a free port.
  explicit FaultProxy(uint16_t target);
  ~FaultProxy();
  FaultProxy(const FaultProxy&) = delete;
  FaultProxy& operator=(const FaultProxy&) = delete;

  [[nodiscard]] uint16_t port() const { return port_; }
  [[nodiscard]] std::string address() const { return "127.0.0.1:" + std::to_string(port_); }
  void set(Mode mode);
  // How often an answer was cut.
  [[nodiscard]] unsigned cuts() const { return cuts_; }

 private:
  struct Pair {
    int client = -1;
    int server = -1;
    std::string to_client{};
    std::chrono::steady_clock::time_point answered{};
    bool over = false;
  };

  void run();
  void accept_one();
  void from_client(Pair& pair);
  void from_server(Pair& pair);
  void to_client(Pair& pair);

  uint16_t target_;
  uint16_t port_ = 0;
  int listener_ = -1;
  int wake_ = -1;
  std::atomic<Mode> mode_ = Mode::pass;
  std::atomic<bool> stopping_ = false;
  std::atomic<unsigned> cuts_ = 0;
  std::list<Pair> pairs_;
  std::thread thread_;
};

}  // namespace distributex::test
