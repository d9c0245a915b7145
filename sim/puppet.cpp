// SPDX-License-Identifier: MIT
// Each host has its own minute of the period. A run that comes too late for the next one
// leaves that out, as cron and Puppet's own daemon do.
#include "sim/puppet.h"

#include <cmath>
#include <string>
#include <utility>

namespace distributex::sim {

namespace {

constexpr double first_look = 0.5;  // client/acquire.cpp
constexpr double shortest_pause = 2.5, longest_pause = 7.5;

enum What : uint8_t { start, again, renewal, end_of_run };

struct Host {
  float phase = 0;  // of its runs in the period, in seconds
  Time asked{};     // for this run, first
  Time parked{};    // since when its request is under way
  Time run_until{};
  Token token = 0;
};

class Fleet {
 public:
  explicit Fleet(const PuppetLoad& load)
      : load_(load),
        chance_(load.seed),
        hosts_(load.hosts),
        world_({.name = load.pools == 1 ? "puppet-0" : "puppet-*",
                .expire = std::chrono::hours{24},
                .maxlocks = load.slots,
                .servers = {}},
               {load.max_waiting, load.pools},
               {.due = [this](uint32_t who, uint8_t what) { due(who, what); },
                .answered = [this](uint32_t who, const Answer& a) { answered(who, a); }}),
        begin_(world_.now()) {
    for (uint32_t who = 0; who < load.hosts; ++who) {
      hosts_[who].phase = static_cast<float>(chance_.between(0, load.period));
      world_.at(begin_ + seconds_of(hosts_[who].phase), who, start);
    }
  }

  Course run() {
    world_.run_until(begin_ + seconds_of(load_.settle));
    world_.start_counting();
    book_ = {};
    counted_from_ = world_.now();
    world_.run_until(world_.now() + seconds_of(load_.measure));
    return {.standing = world_.standing(),
            .book = std::move(book_),
            .needed = load_.run * load_.hosts / load_.period};
  }

 private:
  Command command(uint32_t who, Verb verb) const {
    Command asks;
    asks.verb = verb;
    asks.pool = "puppet-" + std::to_string(who % load_.pools);
    asks.owner = {"host" + std::to_string(who), "1"};
    return asks;
  }

  void due(uint32_t who, uint8_t what) {
    Host& host = hosts_[who];
    switch (static_cast<What>(what)) {
      case start:
        host.asked = world_.now();
        return ask(who);
      case again:
        return ask(who);
      case renewal:
        return renew(who);
      case end_of_run:
        return release(who);
    }
  }

  void ask(uint32_t who) {
    ++book_.asked;
    hosts_[who].parked = world_.now();
    Command asks = command(who, Verb::wait);
    asks.expire = std::chrono::seconds(load_.lease);
    if (load_.patience > 0) {
      asks.timeout = seconds_of(load_.patience);
    }
    world_.submit(who, std::move(asks));
  }

  void renew(uint32_t who) {
    ++book_.renewed;
    Command asks = command(who, Verb::renew);
    asks.token = hosts_[who].token;
    world_.submit(who, std::move(asks));
  }

  void release(uint32_t who) {
    ++book_.released;
    Command asks = command(who, Verb::release);
    asks.token = hosts_[who].token;
    world_.submit(who, std::move(asks));
    start_later(who);
  }

  void answered(uint32_t who, const Answer& answer) {
    if (answer.result == Result::granted) {
      granted(who, answer);
    } else if (answer.result == Result::renewed) {
      renew_later(who);
    } else if (answer.result == Result::timeout) {
      end_wait(who);
      ++book_.gone;
      start_later(who);
    } else if (answer.result == Result::unavailable) {
      ++book_.refused;
      world_.at(world_.now() + seconds_of(chance_.between(shortest_pause, longest_pause)), who,
                again);
    } else if (answer.result != Result::released) {
      ++book_.odd;
    }
  }

  void granted(uint32_t who, const Answer& answer) {
    Host& host = hosts_[who];
    const double parked = end_wait(who);
    ++book_.granted;
    if (host.asked >= counted_from_ || load_.patience == 0) {
      book_.waits.push_back(std::chrono::duration<float>(world_.now() - host.asked).count());
    }
    host.token = answer.token;
    host.run_until = world_.now() + seconds_of(chance_.around(load_.run));
    world_.at(host.run_until, who, end_of_run);
    if (parked > load_.lease / 8.0) {  // a grant that is not fresh is renewed before it is used
      world_.at(world_.now(), who, renewal);
    } else {
      renew_later(who);
    }
  }

  // Of the request that was parked.
  double end_wait(uint32_t who) {
    const double parked = std::chrono::duration<double>(world_.now() - hosts_[who].parked).count();
    book_.parked += parked;
    book_.looked += parked > first_look ? 1 : 0;
    return parked;
  }

  void renew_later(uint32_t who) {
    const Time next = world_.now() + seconds_of(load_.lease / 3.0);
    if (next < hosts_[who].run_until) {
      world_.at(next, who, renewal);
    }
  }

  void start_later(uint32_t who) {
    const double passed = std::chrono::duration<double>(world_.now() - begin_).count();
    const double phase = hosts_[who].phase;
    const double periods = std::floor((passed - phase) / load_.period) + 1;
    world_.at(begin_ + seconds_of(phase + periods * load_.period), who, start);
  }

  const PuppetLoad& load_;
  Chance chance_;
  std::vector<Host> hosts_;
  Book book_;
  World world_;
  Time begin_;
  Time counted_from_{};
};

}  // namespace

Course run_puppet(const PuppetLoad& load) { return Fleet(load).run(); }

}  // namespace distributex::sim
