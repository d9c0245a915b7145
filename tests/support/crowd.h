// SPDX-License-Identifier: MIT
// Clients that contend for one pool through several daemons, each in a thread
// of its own, and what they were told as a history.
#pragma once

#include <stdint.h>

#include <atomic>
#include <condition_variable>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "support/history.h"
#include "support/http.h"

namespace distributex::test {

struct CrowdShape {
  std::string pool;
  size_t clients = 50;
  bool patient = true;  // they wait; else they get, again and again
  size_t rounds = 0;    // locks for each client; 0: until stop()
  // A waiter's lease counts from its answer, or, where answers may be long on
  // their way, from its question: as a client must count that is to be safe.
  bool wary = false;
};

class Crowd {
 public:
  Crowd(const CrowdShape& shape, const std::vector<uint16_t>& ports);
  // Of daemons elsewhere than on 127.0.0.1.
  Crowd(const CrowdShape& shape, std::vector<std::string> addresses);
  ~Crowd() { stop(); }

  // No client asks for more locks; waits until all have ended.
  void stop();
  // Waits until all rounds are done.
  void finish();
  [[nodiscard]] size_t locks() const { return locks_; }
  // Of these, those that were not held already.
  [[nodiscard]] size_t grants() const { return grants_; }
  // Waits for so many locks more; false when they do not come.
  [[nodiscard]] bool goes_on(size_t more) const;
  // For reading when all clients have ended; lost_all() at any time.
  [[nodiscard]] History& history() { return history_; }
  void lost_all(History::Time from, History::Time to);

 private:
  void be_client(size_t number);
  [[nodiscard]] bool take_turn(size_t number, unsigned& dice, History::Time& since);

  CrowdShape shape_;
  std::vector<std::string> addresses_;
  std::atomic<bool> stopping_ = false;
  std::atomic<size_t> locks_ = 0;
  std::atomic<size_t> grants_ = 0;
  std::mutex lock_;
  std::condition_variable stopped_;
  History history_;
  std::vector<std::thread> threads_;
};

}  // namespace distributex::test
