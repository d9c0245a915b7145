// SPDX-License-Identifier: MIT
// pairs and handoff, by clients of other services, measured as for the daemon.
#include <algorithm>
#include <utility>
#include <vector>

#include "load.h"
#include "load_peer.h"

namespace bench {

namespace {

constexpr auto warm_up = std::chrono::milliseconds(200);

using Peers = std::vector<std::unique_ptr<Peer>>;

class PeerLoad {
 public:
  // Each client has a lock to itself, or all want the same one.
  PeerLoad(const Task& task, const Service& service, Loop& loop, bool contended)
      : contended_(contended), held_(task.clients), since_(task.clients), shares_(task.clients) {
    service.prepare(task.address, contended ? 1 : task.clients);
    for (size_t i = 0; i < task.clients; ++i) {
      peers_.push_back(service.connect(loop, task.address, i));
      peers_.back()->on_done([this](Peer& peer) { done(peer); });
    }
    loop.after_batch([this] { give(); });
    for (const auto& peer : peers_) {
      take(*peer);
    }
  }

  void start_counting() {
    count_ = overlaps_ = 0;
    waits_.clear();
    std::fill(shares_.begin(), shares_.end(), 0);
  }
  [[nodiscard]] size_t count() const { return count_; }
  void add_figures(Line& line) const { line.add_turns(waits_, shares_, overlaps_); }

 private:
  void take(Peer& peer) {
    since_[peer.number()] = Clock::now();
    peer.take(contended_ ? 0 : peer.number());
  }

  void done(Peer& peer) {
    const size_t number = peer.number();
    if (held_[number]) {
      held_[number] = false;
      ++count_;
      return take(peer);
    }
    held_[number] = true;
    overlaps_ += contended_ && !holders_.empty() ? 1U : 0U;
    holders_.push_back(&peer);
    shares_[number] += 1;
    waits_.push_back(Seconds(Clock::now() - since_[number]).count() * 1e6);
  }

  void give() {
    for (Peer* holder : std::exchange(holders_, {})) {
      holder->give();
    }
  }

  bool contended_;
  std::vector<bool> held_;
  std::vector<Time> since_;
  std::vector<double> shares_;
  std::vector<double> waits_;
  std::vector<Peer*> holders_;  // that have not begun to give it back
  size_t count_ = 0;
  size_t overlaps_ = 0;
  Peers peers_;
};

}  // namespace

const Service* find_service(const std::string& name) {
  for (const Service* service : {&redis, &postgresql, &etcd}) {
    if (service->name == name) {
      return service;
    }
  }
  return nullptr;
}

void peer_load(const Task& task, Line& line) {
  const Service* service = find_service(task.peer);
  if (!service) {
    give_up("there is no such peer");
  }
  Loop loop;
  PeerLoad load(task, *service, loop, task.workload == "handoff");
  if (task.ops > 0) {
    return loop.run_while([&] { return load.count() < task.ops; });
  }
  loop.run_until(Clock::now() + warm_up);
  load.start_counting();
  const Meter meter(task.pid);
  loop.run_until(Clock::now() + task.length());
  meter.add_rates(line, static_cast<double>(load.count()));
  load.add_figures(line);
}

}  // namespace bench
