// SPDX-License-Identifier: MIT
// The engine on the in-memory backend beside the oracle: choices make requests, hang-ups,
// lost grants, pauses and reloads; after each, both must have the same answers, leases and
// queues. support/slow_world.h has the slow and failing backend.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "backends/makers.h"
#include "config/config.h"
#include "engine/engine.h"
#include "support/choices.h"
#include "support/oracle.h"

namespace distributex::test {

class ModelWorld {
 public:
  explicit ModelWorld(const Choices& choices) : choices_(choices) {}
  // What differs first, and nothing when all is as it must be.
  [[nodiscard]] std::optional<std::string> run(int steps);

 private:
  uint64_t below(uint64_t n) { return choices_.below(n); }
  bool once_in(uint64_t n) { return choices_.once_in(n); }

  void step();
  void pass_time();
  void tick();
  void reload();
  void ask();
  Command request();
  Command order();
  void lose_or_deliver();
  void pump();
  void perform(const Answered& told);
  void perform(const Acquire& question) { backend_->acquire(question, now_); }
  void perform(const Release& question) { backend_->release(question, now_); }
  void perform(const Renew& question) { backend_->renew(question, now_); }
  void perform(const Order& order) { backend_->order(order, now_); }

  void compare();
  void compare_answers();
  void check_token(const Answered& told);
  void compare_answer(const Answered& real, const OracleAnswer& wanted);
  void compare_pool(const std::string& pool);
  void wrong(std::string what) {
    if (wrong_.empty()) {
      wrong_ = std::move(what);
    }
  }

  Choices choices_;
  Time now_{std::chrono::hours{50}};
  Engine engine_;
  Oracle oracle_;
  std::unique_ptr<Backend> backend_ = make_inmemory_backend(
      {.base = nullptr,
       .config = {},
       .sink = {.decided = [this](OpId op, const Verdict& v) { engine_.decided(op, v, now_); },
                .changed =
                    [this](const std::string& pool) {
                      engine_.changed(pool, now_);
                      pump();
                    },
                .expired = [](const std::string&, const Lease&, uint64_t) {},
                .happened = [](const Happening&, uint64_t) {},
                .stored = {},
                .unstored = {}},
       .wall_us = 1'700'000'000'000'000});
  std::vector<std::string> names_{"p0", "p1", "p2", "p3"};
  std::vector<Ticket> on_their_way_;  // grants told and not delivered yet
  std::vector<Ticket> tickets_;       // the last ones, answered or not
  std::vector<Answered> answers_;
  std::map<std::string, Token> last_token_;  // of each pool
  Ticket last_ticket_ = 0;
  bool pumping_ = false;
  std::string wrong_;
};

}  // namespace distributex::test
