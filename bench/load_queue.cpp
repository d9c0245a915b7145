// SPDX-License-Identifier: MIT
// One lock and its waiters. A client that gets the lock keeps it until all replies of
// one look at the sockets are read: two grants among these replies are an overlap.
#include <algorithm>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "load.h"

namespace bench {

namespace {

constexpr auto warm_up = std::chrono::milliseconds(200);

std::string target(std::string_view verb, size_t client) {
  return std::string(verb) + "?pool=p0&host=h" + std::to_string(client);
}

class Handoff {
 public:
  Handoff(const Task& task, Loop& loop)
      : shares_(task.clients), clients_(connect(loop, task.address, task.clients)) {
    loop.after_batch([this] { release(); });
    for (const auto& client : clients_) {
      client->on_reply([this](Client& done, std::string_view body) { replied(done, body); });
      client->ask(target("/wait/", client->number()));
    }
  }

  void start_counting() {
    std::fill(shares_.begin(), shares_.end(), 0);
    waits_.clear();
    passed_ = overlaps_ = 0;
  }
  [[nodiscard]] size_t grants() const { return grants_; }
  [[nodiscard]] double passed() const { return static_cast<double>(passed_); }
  void add_figures(Line& line) const { line.add_turns(waits_, shares_, overlaps_); }

 private:
  void replied(Client& client, std::string_view body) {
    if (body == "OK") {
      return client.ask(target("/wait/", client.number()));
    }
    if (body != "YES") {
      give_up("a wait without a timeout was refused");
    }
    if (!holders_.empty()) {
      ++overlaps_;
    }
    holders_.push_back(&client);
    ++grants_;
    if (&client != last_) {
      ++passed_;
    }
    last_ = &client;
    shares_[client.number()] += 1;
    waits_.push_back(Seconds(Clock::now() - client.asked()).count() * 1e6);
  }

  void release() {
    for (Client* holder : std::exchange(holders_, {})) {
      holder->ask(target("/release/", holder->number()));
    }
  }

  std::vector<double> shares_;
  std::vector<double> waits_;
  std::vector<Client*> holders_;
  const Client* last_ = nullptr;
  size_t grants_ = 0;
  size_t passed_ = 0;
  size_t overlaps_ = 0;
  Clients clients_;
};

// Two clients that hold and wait in turn.
class Wake {
 public:
  explicit Wake(const Task& task) : clients_(connect(loop_, task.address, 2)) {
    for (const auto& client : clients_) {
      client->on_reply([this](Client& done, std::string_view body) { replied(done, body); });
    }
    ask(*clients_[0], "/wait/");
    loop_.run_while([this] { return replies_ < 1; });
    replies_ = 0;
  }

  void sample(Clock::duration pause) {
    Client& holder = *clients_[turn_];
    Client& waiter = *clients_[1 - turn_];
    ask(waiter, "/wait/");
    loop_.run_until(Clock::now() + pause);
    const Time released = Clock::now();
    ask(holder, "/release/");
    loop_.run_while([this] { return replies_ < 2; });
    latencies_.push_back(Seconds(granted_ - released).count() * 1e6);
    turn_ = 1 - turn_;
    replies_ = 0;
  }
  [[nodiscard]] const std::vector<double>& latencies() const { return latencies_; }

 private:
  static void ask(Client& client, std::string_view verb) {
    client.ask(target(verb, client.number()));
  }
  void replied(const Client&, std::string_view body) {
    ++replies_;
    if (body == "YES") {
      granted_ = Clock::now();
    }
  }

  Loop loop_;
  size_t turn_ = 0;  // who holds
  size_t replies_ = 0;
  Time granted_{};
  std::vector<double> latencies_;
  Clients clients_;
};

}  // namespace

void handoff(const Task& task, Line& line) {
  Loop loop;
  Handoff handoff(task, loop);
  if (task.ops > 0) {
    return loop.run_while([&] { return handoff.grants() < task.ops; });
  }
  loop.run_until(Clock::now() + warm_up);
  handoff.start_counting();
  const Meter meter(task.pid);
  loop.run_until(Clock::now() + task.length());
  meter.add_rates(line, handoff.passed());
  handoff.add_figures(line);
}

void wake(const Task& task, Line& line) {
  Wake wake(task);
  std::minstd_rand random(task.round);
  const Time end = Clock::now() + task.length();
  while (Clock::now() < end) {
    wake.sample(std::chrono::microseconds(1000 + random() % 2000));
  }
  line.add("samples", static_cast<double>(wake.latencies().size()), 0);
  line.add("p50_us", quantile(wake.latencies(), 0.5), 1);
  line.add("p99_us", quantile(wake.latencies(), 0.99), 1);
}

}  // namespace bench
