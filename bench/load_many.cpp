// SPDX-License-Identifier: MIT
// Tens of thousands at a time: what waiters cost while they wait and when they are
// served; and leases that all end together.
#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "load.h"

namespace bench {

namespace {

constexpr size_t takers = 16;
constexpr size_t watched = 200;  // leases that somebody waits for
constexpr size_t leases_a_second = 5000;
constexpr auto settling = std::chrono::milliseconds(300);

std::string target(std::string_view verb, size_t pool, size_t host) {
  return std::string(verb) + "?pool=p" + std::to_string(pool) + "&host=h" + std::to_string(host);
}

// Waits until the server has had nothing to do for a while.
void settle(Loop& loop, pid_t pid) {
  double before = -1;
  double now = cpu_seconds(pid);
  while (now > before) {
    before = now;
    loop.run_until(Clock::now() + settling);
    now = cpu_seconds(pid);
  }
}

// Returns when the client has the lock of pool p0.
void take_first(Loop& loop, Client& client) {
  bool has = false;
  client.on_reply([&has](Client&, std::string_view body) { has = body == "YES"; });
  client.ask(target("/wait/", 0, client.number()));
  loop.run_while([&has] { return !has; });
}

// The holder's release starts it; each passes the lock on when it has it.
double drain(const Task& task, Loop& loop, const Clients& clients, size_t& served) {
  const Meter meter(task.pid);
  clients[0]->ask(target("/release/", 0, 0));
  loop.run_while([&] { return served < clients.size() - 1; });
  return meter.seconds();
}

// A lease with somebody who waits for its end.
struct Watch {
  Time ends{};
  double late = -1;  // seconds
};

class Expiry {
 public:
  Expiry(const Task& task, Loop& loop)
      : task_(task),
        loop_(loop),
        watches_(watched),
        takers_(connect(loop, task.address, takers)),
        waiters_(connect(loop, task.address, watched, takers)) {}

  // Every taken lease ends in the second that starts at end().
  void take_all() {
    for (const auto& client : takers_) {
      client->on_reply([this](Client& done, std::string_view body) {
        if (body != "YES") {
          give_up("a lease was not granted");
        }
        ++taken_;
        take(done);
      });
      take(*client);
    }
    loop_.run_while([this] { return taken_ < task_.leases; });
    if (Clock::now() > end()) {
      give_up("the leases were taken too slowly to end together");
    }
  }

  void wait_for_all() {
    size_t heard = 0;
    for (const auto& waiter : waiters_) {
      const size_t pool = waiter->number() - takers;
      waiter->on_reply([this, pool, &heard](Client&, std::string_view) {
        ++heard;
        watches_[pool].late = Seconds(Clock::now() - watches_[pool].ends).count();
      });
      waiter->ask(target("/wait/", pool + 1, waiter->number()));
    }
    loop_.run_until(end());
    cpu_before_ = cpu_seconds(task_.pid);
    loop_.run_while([&heard] { return heard < watched; });
    loop_.run_until(end() + std::chrono::milliseconds(1100));
  }

  void add_figures(Line& line) const {
    std::vector<double> late;
    for (const Watch& watch : watches_) {
      late.push_back(watch.late * 1e3);
    }
    line.add("late_p50_ms", quantile(late, 0.5), 2);
    line.add("late_max_ms", quantile(late, 1), 2);
    line.add("late_least_ms", quantile(late, 0), 2);
    line.add("cpu_s", cpu_seconds(task_.pid) - cpu_before_, 2);
    line.add("took_s", took_, 1);
  }

 private:
  // From the first lease to the second in which all end: enough to take them.
  [[nodiscard]] std::chrono::seconds ahead() const {
    return std::chrono::seconds(2 + task_.leases / leases_a_second);
  }
  [[nodiscard]] Time end() const { return start_ + ahead(); }

  // Some leases, the last among them, have pools p1, p2, .. to themselves.
  void take(Client& client) {
    if (next_ == task_.leases) {
      return;
    }
    const size_t number = next_++;
    const size_t each = task_.leases / watched;
    const bool is_watched = number % each == each - 1 && number / each < watched;
    const Time now = Clock::now();
    const auto past = std::chrono::floor<std::chrono::seconds>(now - start_);
    const auto length = std::max(ahead() - past, std::chrono::seconds(1));
    if (is_watched) {
      watches_[number / each].ends = now + length;
    }
    took_ = Seconds(now - start_).count();
    client.ask(target("/get/", is_watched ? number / each + 1 : 0, number) +
               "&expire=" + std::to_string(length.count()));
  }

  const Task& task_;
  Loop& loop_;
  Time start_ = Clock::now();
  size_t next_ = 0;
  size_t taken_ = 0;
  double took_ = 0;
  double cpu_before_ = 0;
  std::vector<Watch> watches_;
  Clients takers_;
  Clients waiters_;
};

}  // namespace

void parked(const Task& task, Line& line) {
  Loop loop;
  const double empty = resident_kib(task.pid);
  const auto count = static_cast<double>(task.clients);
  size_t served = 0;
  const Clients clients = connect(loop, task.address, task.clients + 1);
  take_first(loop, *clients[0]);
  settle(loop, task.pid);
  const double connected = resident_kib(task.pid);
  for (const auto& client : clients) {
    client->on_reply([&served](Client& done, std::string_view body) {
      if (body != "YES") {
        return;
      }
      ++served;
      done.ask(target("/release/", 0, done.number()));
    });
    if (client != clients[0]) {
      client->ask(target("/wait/", 0, client->number()));
    }
  }
  settle(loop, task.pid);
  const double full = resident_kib(task.pid);
  if (served > 0) {
    give_up("a held lock was granted");
  }
  const double before = cpu_seconds(task.pid);
  loop.run_until(Clock::now() + task.length());
  line.add("idle_cpu_s", cpu_seconds(task.pid) - before, 2);
  line.add("kib_each", (full - empty) / count, 2);
  line.add("kib_connection", (connected - empty) / count, 2);
  const double time = drain(task, loop, clients, served);
  line.add("drain_s", time, 3);
  line.add("drain_us_each", time * 1e6 / count, 2);
}

void expire(const Task& task, Line& line) {
  Loop loop;
  if (task.leases < watched) {
    give_up("too few leases to watch some");
  }
  Expiry expiry(task, loop);
  expiry.take_all();
  expiry.wait_for_all();
  expiry.add_figures(line);
}

}  // namespace bench
