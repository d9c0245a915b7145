// SPDX-License-Identifier: MIT
//
// Obtaining the lock: ask, wait in the server's line, ask elsewhere or later when a server goes
// away, and leave the line properly when we are told to. The command is not known here; nothing is
// run.
#pragma once

#include "client/giveback.h"
#include "client/holding.h"
#include "client/signals.h"

#include <optional>
#include <string>
#include <variant>

namespace distributex::client {

class Acquire {
 public:
  // `begun` is when the patience of -w began to count.
  Acquire(const Options& options, const Requests& requests, Api& api, Signals& signals,
          Moment begun);

  // A lock, or the exit code that says why there is none; whatever needs saying has been said.
  [[nodiscard]] std::variant<Holding, int> run();

 private:
  enum class Stage {
    asking,      // a get or wait is under way
    confirming,  // granted, but too long ago to build on: a renewal is under way
    pausing,     // no server answered; the next attempt is at retry_at_
    over,
  };

  void ask(Moment now);
  void confirm(Moment now, const Reply& granted);
  void take_answers();
  void take_asked(Moment now, const Reply& reply);
  void take_confirmed(Moment now, const Reply& reply);
  [[nodiscard]] bool is_final_no(Moment now, const Reply& reply) const;
  void take_failure(Moment now, const Reply& reply);
  void take_signals();
  void tick(Moment now);
  void tell_holders(const RawAnswer& raw);
  [[nodiscard]] std::optional<Moment> next_moment() const;

  void obtained(const Holding& holding);
  void end(int code);
  void end_refused(const Reply& reply);
  void end_unreachable();
  void end_not_obtained();
  [[nodiscard]] int not_obtained_code() const {
    return options_.not_obtained_code.value_or(exit_not_obtained);
  }
  [[nodiscard]] std::string server_name() const { return options_.servers[server_].name(); }

  const Options& options_;
  const Requests& requests_;
  Api& api_;
  Signals& signals_;
  Alarm alarm_;
  Moment begun_;
  std::optional<Moment> give_up_at_;

  Stage stage_ = Stage::asking;
  std::size_t server_ = 0;
  Api::Ticket ticket_ = 0;
  Moment sent_;
  Moment retry_at_;
  Backoff backoff_;
  std::size_t failures_ = 0;  // in this round of all servers
  bool was_reached_ =
      false;  // some server has been there: from then on one that is away is waited for
  bool may_be_known_ = false;  // a server may have us in its line, or have granted us the lock
  std::string last_trouble_;
  Holding unconfirmed_;
  std::variant<Holding, int> outcome_ = 0;

  Api::Ticket status_ticket_ = 0;  // -v: who holds the lock
  std::optional<Moment> status_at_;
};

}  // namespace distributex::client
