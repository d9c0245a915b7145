// SPDX-License-Identifier: MIT
// Keep-alive HTTP clients on one epoll loop: each has at most one request under
// way and calls back with the body of its reply. A failed request ends the program, for
// the measurement would be worthless.
#pragma once

#include <stdint.h>

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "load_channel.h"

namespace bench {

using Clock = std::chrono::steady_clock;
using Time = Clock::time_point;
using Seconds = std::chrono::duration<double>;

// Ends the program with a message; with_errno adds the text of errno.
[[noreturn]] void give_up(const char* what, bool with_errno = false);

class Loop;

// What a loop tells when there is something to read.
class Watched {
 public:
  virtual ~Watched() = default;
  virtual void readable() = 0;
};

class Client final : public Watched {
 public:
  using Done = std::function<void(Client&, std::string_view body)>;

  Client(Loop& loop, const Address& address, size_t number);
  ~Client() override = default;
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;

  // The parts of a target: ask("/get/?host=h1&pool=p1").
  void ask(std::string_view target);
  // Closes the connection and opens a new one.
  void reconnect();
  void on_reply(Done done) { done_ = std::move(done); }

  [[nodiscard]] size_t number() const { return number_; }
  [[nodiscard]] Time asked() const { return asked_; }

 private:
  void readable() override;

  Loop& loop_;
  Address address_;
  size_t number_;
  std::unique_ptr<Channel> channel_;
  Time asked_{};
  std::string request_;
  std::string reply_;
  Done done_;
};

class Loop {
 public:
  Loop();
  ~Loop();
  Loop(const Loop&) = delete;
  Loop& operator=(const Loop&) = delete;

  // Handles what comes in until `end`; looks at the sockets at least once.
  void run_until(Time end);
  // Handles what comes in while goes_on() is true, for ten minutes at most.
  void run_while(const std::function<bool()>& goes_on);
  void watch(int fd, Watched& watched);
  // Calls `then` after all replies of each look at the sockets.
  void after_batch(std::function<void()> then) { then_ = std::move(then); }

 private:
  void look(int milliseconds);

  int epoll_ = -1;
  std::function<void()> then_;
};

using Clients = std::vector<std::unique_ptr<Client>>;
[[nodiscard]] Clients connect(Loop& loop, const Address& address, size_t count,
                              size_t first_number = 0);

}  // namespace bench
