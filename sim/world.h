// SPDX-License-Identifier: MIT
// The real engine over its backend in memory, and a clock that jumps from event to
// event: hours pass in seconds, and the same events give the same figures. The numbers of
// waiters and holders are read from engine and backend after each event.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <queue>
#include <string>
#include <vector>

#include "backends/makers.h"
#include "config/config.h"
#include "engine/engine.h"

namespace distributex::sim {

// Over the time since the last start_counting().
struct Standing {
  double seconds = 0;
  double parked = 0;  // waiters, the mean over time
  double held = 0;    // leases, the mean over time
  size_t most_parked = 0;
  size_t most_held = 0;
  size_t most_held_in_pool = 0;
};

class World {
 public:
  // Who is one of at most so many clients, each with at most one request under way.
  static constexpr uint32_t most_clients = 1 << 20;

  struct Clients {
    std::function<void(uint32_t who, uint8_t what)> due;  // what at() was told
    std::function<void(uint32_t who, const Answer&)> answered;
  };

  // One row for all pools: a name, or a pattern that makes them.
  World(const PoolSpec& row, Bounds bounds, Clients clients);

  [[nodiscard]] Time now() const { return now_; }
  void at(Time when, uint32_t who, uint8_t what);
  void submit(uint32_t who, Command&& command);
  // Runs all events before `end`; then the time is `end`.
  void run_until(Time end);
  // Until so many seconds have passed in which goes_on() is true.
  void run_while(const std::function<bool()>& goes_on);

  void start_counting();
  [[nodiscard]] Standing standing();

 private:
  struct Event {
    Time at;
    uint64_t order;  // events of one moment come in the order in which they were made
    uint32_t who;
    uint8_t what;
    bool operator>(const Event& other) const {
      return at != other.at ? at > other.at : order > other.order;
    }
  };
  struct Pool {
    size_t parked = 0;
    size_t held = 0;
  };

  [[nodiscard]] Time next_moment() const;
  void pass_to(Time when);
  void step();
  void pump();
  void perform(Answered& told);
  void perform(const Acquire& question) { backend_->acquire(question, now_); }
  void perform(const Release& question) { backend_->release(question, now_); }
  void perform(const Renew& question) { backend_->renew(question, now_); }
  void perform(const Order& order) { backend_->order(order, now_); }
  void look_at(const std::string& pool);

  Time now_{std::chrono::hours{1}};
  Clients clients_;
  Engine engine_;
  std::unique_ptr<Backend> backend_;
  std::priority_queue<Event, std::vector<Event>, std::greater<>> agenda_;
  uint64_t events_ = 0;
  Ticket requests_ = 0;
  bool pumping_ = false;

  NameMap<Pool> pools_;
  size_t parked_ = 0;
  size_t held_ = 0;
  Time counted_from_{};
  double parked_area_ = 0;  // waiters times seconds
  double held_area_ = 0;
  Standing most_;
};

}  // namespace distributex::sim
