// SPDX-License-Identifier: MIT
// Clients that keep their locks for many renewals, at any of several daemons, while other
// clients want them: as many keepers as slots, and two more. If a lease ends before the time
// that its holder was told, the next renewal shows it, or a grant to another client.
#pragma once

#include <stdint.h>

#include <atomic>
#include <condition_variable>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "support/history.h"
#include "support/http.h"

namespace distributex::test {

class Keepers {
 public:
  Keepers(std::string pool, size_t slots, std::vector<uint16_t> ports);
  ~Keepers() { stop(); }
  Keepers(const Keepers&) = delete;
  Keepers& operator=(const Keepers&) = delete;

  void stop();
  [[nodiscard]] size_t renewals() const { return renewals_; }
  // When all have stopped: "" or what was wrong.
  [[nodiscard]] std::string verdict() const;

 private:
  using Time = History::Time;
  struct Life {
    std::string who;
    unsigned dice;
    bool is_keeper;
    Time since{};  // when it asked first after its last lock
  };
  struct Told {
    Response response;
    Time asked;
    Time answered;
    [[nodiscard]] uint64_t token() const;
    [[nodiscard]] std::optional<Time> ends() const;
  };

  void live(Life life);
  void keep(Life& life, const Told& lock);
  [[nodiscard]] Told ask(Life& life, const std::string& verb);
  void note(const Life& life, const Told& told, Time since);
  void let_go(uint64_t token, Time when);
  void pause(Life& life, unsigned most_ms);

  std::string pool_;
  std::vector<uint16_t> ports_;
  std::atomic<bool> stopping_ = false;
  std::atomic<size_t> renewals_ = 0;
  mutable std::mutex lock_;
  std::condition_variable stopped_;
  History history_;
  std::string wrong_;
  std::vector<std::thread> threads_;
};

}  // namespace distributex::test
