// SPDX-License-Identifier: MIT
// Stand-ins for servers that are not ours, each a child process on a free port
// of 127.0.0.1: the original service (get, wait and release as plain text with
// status 200, holders told apart by host alone), and one that answers every
// request with the same bytes. No daemon of ours here.
#pragma once

#include <stdint.h>
#include <sys/types.h>

#include <functional>
#include <string>
#include <string_view>

namespace distributex::test {

class StandIn {
 public:
  // The original, with the pool "one", and "acme" that serves the host acme1 only.
  [[nodiscard]] static StandIn original();
  // Answers so to whatever is asked; empty bytes: closes without a word.
  [[nodiscard]] static StandIn fixed(std::string bytes);

  StandIn(StandIn&& other) noexcept;
  StandIn(const StandIn&) = delete;
  StandIn& operator=(const StandIn&) = delete;
  ~StandIn();

  [[nodiscard]] uint16_t port() const { return port_; }
  [[nodiscard]] pid_t pid() const { return pid_; }
  // How many requests it has had.
  [[nodiscard]] size_t requests() const;
  // Ends it, so that it is out of reach.
  void kill_now();

 private:
  explicit StandIn(const std::function<void(int listener, uint64_t* requests)>& serve);

  pid_t pid_ = -1;
  uint16_t port_ = 0;
  uint64_t* requests_ = nullptr;  // a page shared with the child
};

}  // namespace distributex::test
