// SPDX-License-Identifier: MIT
// get and release as fast as it goes: what a request costs, and whether it
// costs more where there are many pools or leases.
#include <string>
#include <utility>
#include <vector>

#include "load.h"

namespace bench {

namespace {

constexpr auto warm_up = std::chrono::milliseconds(200);
constexpr size_t takers = 16;

// Leases of many holders in the pool in which the pairs will be.
void hold_leases(const Task& task, Loop& loop) {
  size_t next = 0, taken = 0;
  const Clients clients = connect(loop, task.port, takers);
  const auto take = [&](Client& client) {
    if (next < task.leases) {
      client.ask("/get/?pool=p0&host=holder&id=" + std::to_string(next++));
    }
  };
  for (const auto& client : clients) {
    client->on_reply([&](Client& done, std::string_view body) {
      if (body != "YES") {
        give_up("a lease was not granted");
      }
      ++taken;
      take(done);
    });
    take(*client);
  }
  loop.run_while([&] { return taken < task.leases; });
}

// One client: which pool it is at, and whether it holds the lock.
struct Pair {
  size_t pool = 0;
  bool held = false;
};

class Pairs {
 public:
  Pairs(const Task& task, Loop& loop)
      : task_(task), state_(task.clients), clients_(connect(loop, task.port, task.clients)) {
    for (const auto& client : clients_) {
      state_[client->number()].pool = client->number() * 7919;
      client->on_reply([this](Client& done, std::string_view body) { replied(done, body); });
      next(*client);
    }
  }
  void start_counting() { count_ = 0, latencies_.clear(); }
  [[nodiscard]] size_t count() const { return count_; }
  [[nodiscard]] const std::vector<double>& latencies() const { return latencies_; }

 private:
  void next(Client& client) {
    const Pair& pair = state_[client.number()];
    const size_t pool = task_.pools == 0 ? client.number() : pair.pool % task_.pools;
    target_.assign(pair.held ? "/release/?pool=p" : "/get/?pool=p");
    target_ += std::to_string(pool);
    target_.append("&host=h").append(std::to_string(client.number()));
    client.ask(target_);
  }

  void replied(Client& client, std::string_view body) {
    Pair& pair = state_[client.number()];
    if (!pair.held && body != "YES") {
      give_up("a free lock was not granted");
    }
    if (!pair.held) {
      latencies_.push_back(Seconds(Clock::now() - client.asked()).count() * 1e6);
    } else {
      ++count_;
      pair.pool += 104729;  // a prime: all pools have their turn
    }
    pair.held = !pair.held;
    next(client);
  }

  const Task& task_;
  std::vector<Pair> state_;
  size_t count_ = 0;
  std::vector<double> latencies_;  // of the gets, in microseconds
  std::string target_;
  Clients clients_;
};

}  // namespace

void pairs(const Task& task, Line& line) {
  Loop loop;
  if (task.leases > 0) {
    hold_leases(task, loop);
  }
  Pairs pairs(task, loop);
  if (task.ops > 0) {
    return loop.run_while([&] { return pairs.count() < task.ops; });
  }
  loop.run_until(Clock::now() + warm_up);
  pairs.start_counting();
  const Meter meter(task.pid);
  loop.run_until(Clock::now() + task.length());
  meter.add_rates(line, static_cast<double>(pairs.count()));
  line.add("p50_us", quantile(pairs.latencies(), 0.5), 1);
  line.add("p99_us", quantile(pairs.latencies(), 0.99), 1);
}

}  // namespace bench
