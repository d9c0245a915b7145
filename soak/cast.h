// SPDX-License-Identifier: MIT
// The clients: each is a thread that plays one random scene after the other, at a given
// pace, and pauses when it is told to. All that they share is here.
#pragma once

#include <stddef.h>
#include <stdint.h>

#include <atomic>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "findings.h"
#include "service.h"
#include "support/choices.h"

namespace distributex::soak {

using test::Choices;

struct Settings {
  double minutes = 30;
  uint64_t seed = 0;
  size_t clients = 96;
  double rate = 800;  // requests a second, of all clients together, at most
};

struct Counters {
  std::atomic<uint64_t> requests = 0;
  std::atomic<uint64_t> grants = 0;       // told of
  std::atomic<uint64_t> unavailable = 0;  // in times of trouble, like the next
  std::atomic<uint64_t> unanswered = 0;
};

struct World {
  Settings settings;
  Findings findings{};
  Counters counters{};
  std::vector<std::unique_ptr<Service>> services{};
  std::atomic<bool> stopping = false;
};

// One client in one scene.
struct Actor {
  World& world;
  size_t number;
  Choices dice;
  uint64_t scene = 0;          // how many it has played; makes names unique
  Service* service = nullptr;  // where this scene plays
  uint64_t requests = 0;       // in this scene

  void count_request() {
    ++requests;
    ++world.counters.requests;
  }
  [[nodiscard]] uint16_t any_port() {
    return service->ports()[dice.below(service->ports().size())];
  }
  [[nodiscard]] const PoolRow& any_pool() { return pool_rows()[dice.below(pool_rows().size())]; }
  // Any but those whose locks never end.
  [[nodiscard]] const PoolRow& mortal_pool();
  // Whether the answer to a request, or a connection, of this time may fail. If not, waits
  // up to a second first: trouble may have just begun.
  [[nodiscard]] bool is_excused(Time since) const;
  // Pauses for up to `most`, as a client that works or thinks.
  void pause(milliseconds most);
};

class Cast {
 public:
  explicit Cast(World& world);
  ~Cast() { stop(); }
  Cast(const Cast&) = delete;
  Cast& operator=(const Cast&) = delete;

  // Lets every client finish its scene; false when one does not.
  [[nodiscard]] bool pause();
  void go_on();
  void stop();
  // "get 1200, wait 900, ...": how often each scene was played.
  [[nodiscard]] std::string scenes_played() const;

 private:
  void be_client(size_t number);
  void play_one(Actor& actor);
  bool wait_for_turn();

  World& world_;
  std::mutex lock_;
  std::condition_variable change_;
  bool paused_ = false;
  size_t busy_ = 0;
  std::vector<std::atomic<uint64_t>> played_;
  std::vector<std::thread> threads_;
};

}  // namespace distributex::soak
