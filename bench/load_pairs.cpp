// SPDX-License-Identifier: MIT
// get and release as fast as possible: what a request costs, and whether it
// costs more if there are many pools or leases.
#include <string>
#include <utility>
#include <vector>

#include "load.h"

namespace bench {

namespace {

constexpr auto warm_up = std::chrono::milliseconds(200);

// One client: which pool it is at, and whether it holds the lock.
struct Pair {
  size_t pool = 0;
  bool held = false;
};

class Pairs {
 public:
  Pairs(const Task& task, Loop& loop)
      : task_(task), state_(task.clients), clients_(connect(loop, task.address, task.clients)) {
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
    if (task_.apart) {
      client.reconnect();
    }
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

// Each client keeps its lease.
class Renewals {
 public:
  Renewals(const Task& task, Loop& loop) : clients_(connect(loop, task.address, task.clients)) {
    for (const auto& client : clients_) {
      client->on_reply([this](Client& done, std::string_view body) { replied(done, body); });
      ask(*client, "/get/");
    }
  }
  [[nodiscard]] size_t count() const { return count_; }

 private:
  static void ask(Client& client, std::string_view verb) {
    const std::string number = std::to_string(client.number());
    client.ask(std::string(verb) + "?pool=p" + number + "&host=h" + number);
  }
  void replied(Client& client, std::string_view body) {
    if (body != "YES" && body != "OK") {
      give_up("a lease was not renewed");
    }
    count_ += body == "OK" ? 1U : 0U;
    ask(client, "/renew/");
  }

  size_t count_ = 0;
  Clients clients_;
};

}  // namespace

void renewals(const Task& task, Line& line) {
  Loop loop;
  const Renewals renewals(task, loop);
  if (task.ops > 0) {
    return loop.run_while([&] { return renewals.count() < task.ops; });
  }
  const Meter meter(task.pid);
  loop.run_until(Clock::now() + task.length());
  meter.add_rates(line, static_cast<double>(renewals.count()));
}

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
