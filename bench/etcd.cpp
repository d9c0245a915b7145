// SPDX-License-Identifier: MIT
// Two daemons over one etcd, beside the recipe of `etcdctl lock` through the gateway of
// the same member. Measures how often a lock changes hands among waiters of both daemons,
// how soon a waiter at one daemon is told after a release at the other, and how many
// entries of etcd's log a grant costs. The daemons and the recipe take turns in rounds.
// It asserts nothing.
//
// BENCH_MEMBERS (3), BENCH_ROUNDS (3), BENCH_SECS (2) of each measurement, BENCH_WAITERS
// (1 8) at each server. The members' data are in TMPDIR, or /tmp, and synced: a run with
// TMPDIR=/dev/shm shows how much of the time the disk takes.
#include "support/etcd.h"

#include <algorithm>
#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <map>
#include <memory>
#include <sstream>
#include <thread>
#include <vector>

#include "etcd_recipe.h"
#include "load_net.h"
#include "support/daemon.h"
#include "support/http.h"
#include "support/status.h"

namespace bench {
namespace {

using namespace distributex::test;
using Samples = std::vector<double>;
using Milliseconds = std::chrono::duration<double, std::milli>;

constexpr size_t wakes = 40;  // of one round

std::string setting(const char* name, const char* normally) {
  const char* given = getenv(name);
  return given != nullptr ? given : normally;
}

size_t number(const char* name, const char* normally) {
  return strtoul(setting(name, normally).c_str(), nullptr, 10);
}

void insist(bool is_so, const char* otherwise) {
  if (!is_so) {
    give_up(otherwise);
  }
}

double median(Samples samples) {
  insist(!samples.empty(), "nothing was measured");
  std::sort(samples.begin(), samples.end());
  return samples[samples.size() / 2];
}

double ms_since(Clock::time_point start) { return Milliseconds(Clock::now() - start).count(); }

void pause(milliseconds time) { std::this_thread::sleep_for(time); }

struct Service {
  explicit Service(size_t members) : etcd(members) {
    etcd.sync_writes();
    insist(etcd.start(), "etcd does not start");
    for (size_t i = 0; i < 2; i++) {
      daemons.push_back(std::make_unique<Daemon>("backend: etcd\netcdhosts: \"" + etcd.hosts() +
                                                 "\"\npools:\n  - {name: p, expire: 600}\n"));
      insist(daemons.back()->start() &&
                 eventually([&] { return fetch(daemons.back()->port(), "/readyz").status == 200; }),
             "the daemon is not ready");
    }
  }
  [[nodiscard]] double entries() const {
    return etcd.metric(0, "etcd_server_proposals_applied_total");
  }
  [[nodiscard]] uint16_t gateway() const { return etcd.port(0); }

  EtcdCluster etcd;
  std::vector<std::unique_ptr<Daemon>> daemons{};
};

// Runs one waiter, which takes and gives back the lock until it is told to stop.
using Turns = std::function<void(size_t waiter, const std::atomic<bool>& is_over,
                                 const std::function<void()>& has_lock)>;

struct HandOvers {
  double all = 0;      // a second
  double across = 0;   // of these, to a waiter of the other server
  double entries = 0;  // of etcd's log, for each hand-over
};

HandOvers count_hand_overs(const Service& service, size_t waiters, Seconds lasts,
                           const Turns& turns) {
  std::atomic<bool> is_over = false;
  std::atomic<size_t> all = 0;
  std::atomic<size_t> across = 0;
  std::atomic<size_t> last = 0;
  const double before = service.entries();
  const auto start = Clock::now();
  std::vector<std::thread> threads;
  threads.reserve(2 * waiters);
  for (size_t i = 0; i < 2 * waiters; i++) {
    threads.emplace_back([&, i] {
      turns(i, is_over, [&] {
        all++;
        across += last.exchange(i % 2) != i % 2 ? 1 : 0;
      });
    });
  }
  std::this_thread::sleep_for(lasts);
  is_over = true;
  for (std::thread& thread : threads) {
    thread.join();
  }
  const double took = Seconds(Clock::now() - start).count();
  const auto count = static_cast<double>(all);
  return {count / took, static_cast<double>(across) / took,
          (service.entries() - before) / std::max(count, 1.0)};
}

HandOvers by_daemons(const Service& service, size_t waiters, Seconds lasts) {
  return count_hand_overs(service, waiters, lasts,
                          [&](size_t i, const auto& is_over, const auto& has_lock) {
                            Connection line(service.daemons[i % 2]->port());
                            const std::string who = "pool=p&host=h" + std::to_string(i);
                            while (!is_over) {
                              insist(word(line, "/wait/?" + who) == "YES", "a daemon says no");
                              has_lock();
                              insist(word(line, "/release/?" + who) == "OK", "a daemon says no");
                            }
                          });
}

HandOvers by_recipe(const Service& service, size_t waiters, Seconds lasts) {
  return count_hand_overs(service, waiters, lasts,
                          [&](size_t, const auto& is_over, const auto& has_lock) {
                            RecipeLock lock(service.gateway(), "recipe");
                            while (!is_over) {
                              if (!lock.queue()) {
                                lock.wait();
                              }
                              has_lock();
                              lock.unlock();
                            }
                          });
}

// From the release at one server to the answer at the other.
Samples wake_by_daemons(const Service& service) {
  Samples took;
  for (size_t i = 0; i < wakes; i++) {
    const uint16_t here = service.daemons[i % 2]->port();
    const uint16_t there = service.daemons[1 - i % 2]->port();
    Connection holder(here);
    Connection waiter(there);
    insist(word(holder, "/wait/?pool=p&host=a") == "YES", "a daemon says no");
    insist(waiter.send(get_request("/wait/?pool=p&host=b")) && wait_for_waiting(there, "p", 1),
           "nobody waits");
    pause(milliseconds(150));  // all is quiet, and etcd knows of the waiter
    const auto start = Clock::now();
    insist(holder.send(get_request("/release/?pool=p&host=a")), "the daemon is gone");
    const auto woken = waiter.response();
    took.push_back(ms_since(start));
    insist(woken && woken->body == "YES" && holder.response(), "a daemon says no");
    insist(word(waiter, "/release/?pool=p&host=b") == "OK", "a daemon says no");
  }
  return took;
}

Samples wake_by_recipe(const Service& service) {
  Samples took;
  for (size_t i = 0; i < wakes; i++) {
    RecipeLock holder(service.gateway(), "wake");
    RecipeLock waiter(service.gateway(), "wake");
    insist(holder.queue() && !waiter.queue(), "the recipe does not lock");
    Clock::time_point woken;
    std::thread waits([&] {
      waiter.wait();
      woken = Clock::now();
    });
    pause(milliseconds(150));
    const auto start = Clock::now();
    holder.unlock();
    waits.join();
    took.push_back(Milliseconds(woken - start).count());
    waiter.unlock();
  }
  return took;
}

// How long etcd takes for one write, the least that any lock needs.
Samples time_writes(const Service& service) {
  Samples took;
  Connection line(service.gateway());
  const std::string body = R"({"key":"eA==","value":"eA=="})";
  for (size_t i = 0; i < 100; i++) {
    const auto start = Clock::now();
    insist(line.send("POST /v3/kv/put HTTP/1.1\r\nHost: etcd\r\nContent-Length: " +
                     std::to_string(body.size()) + "\r\n\r\n" + body) &&
               line.response(),
           "etcd does not answer");
    took.push_back(ms_since(start));
  }
  return took;
}

void print_median(const char* name, const Samples& samples) {
  const auto [least, most] = std::minmax_element(samples.begin(), samples.end());
  printf("  %-44s %8.2f ms (%.2f to %.2f)\n", name, median(samples), *least, *most);
}

void measure_hand_overs(const Service& service, size_t waiters, size_t rounds, Seconds lasts) {
  std::map<std::string, Samples> all;
  Samples ratios;
  for (size_t round = 0; round < rounds; round++) {
    const HandOvers ours = by_daemons(service, waiters, lasts);
    const HandOvers recipe = by_recipe(service, waiters, lasts);
    all["daemons"].push_back(ours.all);
    all["across"].push_back(ours.across);
    all["entries"].push_back(ours.entries);
    all["recipe"].push_back(recipe.all);
    all["recipe entries"].push_back(recipe.entries);
    ratios.push_back(ours.all / recipe.all);
  }
  printf("%zu waiters at each server\n", waiters);
  printf("  daemons: hand-overs a second %8.1f, across %.1f, entries each %.2f\n",
         median(all["daemons"]), median(all["across"]), median(all["entries"]));
  printf("  recipe:  hand-overs a second %8.1f, entries each %.2f; ratio %.1f\n",
         median(all["recipe"]), median(all["recipe entries"]), median(ratios));
  fflush(stdout);
}

}  // namespace
}  // namespace bench

int main() {
  using namespace bench;
  const size_t members = number("BENCH_MEMBERS", "3");
  const Service service(members);
  printf("%zu members, data in %s; the leader is member %zu, all ask member 0\n", members,
         setting("TMPDIR", "/tmp").c_str(), service.etcd.leader().value_or(members));
  print_median("a write by the gateway", time_writes(service));
  print_median("wake across servers, daemons", wake_by_daemons(service));
  print_median("wake, recipe", wake_by_recipe(service));
  std::istringstream counts(setting("BENCH_WAITERS", "1 8"));
  for (size_t waiters; counts >> waiters;) {
    measure_hand_overs(service, waiters, number("BENCH_ROUNDS", "3"),
                       Seconds(static_cast<double>(number("BENCH_SECS", "2"))));
  }
}
