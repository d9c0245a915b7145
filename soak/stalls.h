// SPDX-License-Identifier: MIT
// A thread that only sleeps for short times. If it oversleeps, the machine was too busy: if
// memcached did not answer in time then, that is no fault of the daemon, and is noted as
// trouble.
#pragma once

#include <atomic>
#include <thread>

#include "cast.h"

namespace distributex::soak {

class Stalls {
 public:
  explicit Stalls(World& world) : world_(world), thread_([this] { watch(); }) {}
  ~Stalls();
  Stalls(const Stalls&) = delete;
  Stalls& operator=(const Stalls&) = delete;

  [[nodiscard]] unsigned count() const { return count_; }
  [[nodiscard]] milliseconds longest() const { return longest_.load(); }

 private:
  void watch();

  World& world_;
  std::atomic<unsigned> count_ = 0;
  std::atomic<milliseconds> longest_ = milliseconds{};
  std::atomic<bool> stopping_ = false;
  std::thread thread_;
};

}  // namespace distributex::soak
