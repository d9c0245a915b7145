// SPDX-License-Identifier: MIT
// The commands are those that doors/fleetlock makes: a wait that ends after fleetlock_wait,
// whose place is kept for eleven minutes, and a lease of the pool's length.
#include "sim/nodes.h"

#include <string>
#include <utility>

namespace distributex::sim {

namespace {

constexpr auto place_kept = std::chrono::minutes(11);

enum What : uint8_t { update, again, up };

struct Node {
  Time asked{};   // first
  Time parked{};  // since when its request is under way
};

class Fleet {
 public:
  explicit Fleet(const NodesLoad& load)
      : load_(load),
        chance_(load.seed),
        nodes_(load.nodes),
        world_({.name = "workers",
                .expire = std::chrono::hours{24},
                .maxlocks = load.slots,
                .servers = {}},
               1000000,
               {.due = [this](uint32_t who, uint8_t what) { due(who, what); },
                .answered = [this](uint32_t who, const Answer& a) { answered(who, a); }}) {
    for (uint32_t who = 0; who < load.nodes; ++who) {
      world_.at(world_.now() + seconds_of(chance_.between(0, load.spread)), who, update);
    }
  }

  Course run() {
    world_.run_while([this] { return book_.released < load_.nodes; });
    return {.standing = world_.standing(),
            .book = std::move(book_),
            .needed = load_.reboot * load_.nodes / load_.spread};
  }

 private:
  Command command(uint32_t who, Verb verb) const {
    Command asks;
    asks.verb = verb;
    asks.pool = "workers";
    asks.owner = {"node" + std::to_string(who), {}};
    asks.door = "fleetlock";
    return asks;
  }

  void due(uint32_t who, uint8_t what) {
    switch (static_cast<What>(what)) {
      case update:
        nodes_[who].asked = world_.now();
        return ask(who);
      case again:
        return ask(who);
      case up:
        ++book_.released;
        return world_.submit(who, command(who, Verb::release));
    }
  }

  void ask(uint32_t who) {
    ++book_.asked;
    nodes_[who].parked = world_.now();
    Command asks = command(who, Verb::wait);
    asks.timeout = std::chrono::seconds(load_.wait);
    asks.comes_back_within = place_kept;
    world_.submit(who, std::move(asks));
  }

  void answered(uint32_t who, const Answer& answer) {
    const Node& node = nodes_[who];
    const auto since = [this](Time when) {
      return std::chrono::duration<double>(world_.now() - when).count();
    };
    if (answer.result == Result::granted) {
      ++book_.granted;
      book_.parked += since(node.parked);
      book_.waits.push_back(static_cast<float>(since(node.asked)));
      world_.at(world_.now() + seconds_of(chance_.around(load_.reboot)), who, up);
    } else if (answer.result == Result::timeout) {
      ++book_.gone;
      book_.parked += since(node.parked);
      world_.at(world_.now() + seconds_of(load_.poll * chance_.between(1, 1.1)), who, again);
    } else if (answer.result != Result::released) {
      ++book_.odd;
    }
  }

  const NodesLoad& load_;
  Chance chance_;
  std::vector<Node> nodes_;
  Book book_;
  World world_;
};

}  // namespace

Course run_nodes(const NodesLoad& load) { return Fleet(load).run(); }

}  // namespace distributex::sim
