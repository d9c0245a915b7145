// SPDX-License-Identifier: MIT
// The engine on a backend that is slow, fails and has leases of other servers: choices
// make events, a witness checks them, and in the end no waiter and no lease may be
// forgotten. support/model_world.h checks the exact answers, on a backend that answers at
// once.
#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "engine/engine.h"
#include "support/choices.h"
#include "support/slow_backend.h"
#include "support/witness.h"

namespace distributex::test {

class SlowWorld {
 public:
  explicit SlowWorld(const Choices& choices);
  // What went wrong first, if anything did.
  [[nodiscard]] std::optional<std::string> run(int steps);

 private:
  uint64_t below(uint64_t n) { return choices_.below(n); }
  bool once_in(uint64_t n) { return choices_.once_in(n); }
  const std::string& any_name() { return names_[below(names_.size())]; }

  void step();
  void pass_time(Duration most);
  void tick();
  void reload(bool all);
  void ask();
  void hang_up();
  void finish_reply();
  void work(const std::string& pool);
  void hear(const std::string& pool);
  void meet_strangers();
  void submit(const Command& request);
  void pump();
  void perform(const Answered& answered);
  template <typename Question>
  void perform(const Question& question) {
    witness_.asks(question);
    backend_.put(question);
  }

  void perform(const Order&) { witness_.wrong("an order that nobody gave"); }

  void end();
  bool end_round();
  void look_for_the_forgotten();
  void look_at_lines();

  Choices choices_;
  Time now_{std::chrono::hours{50}};
  Engine engine_;
  SlowBackend backend_;
  Witness witness_;
  std::vector<std::string> names_{"ends", "polls", "watches"};
  std::vector<PoolSpec> pools_;
  Ticket last_ticket_ = 0;
  uint64_t pace_;      // the backend does something at one of so many steps
  uint64_t failures_;  // and fails once in so many times; 0: never
};

}  // namespace distributex::test
