// SPDX-License-Identifier: MIT
//
// Obtains the lock: asks a server, waits in its queue, asks the next server or asks later if a
// server fails, and tells the server if the wait is given up. Runs no command.
#pragma once

#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "client/giveback.h"
#include "client/holding.h"
#include "client/signals.h"

namespace distributex::client {

class Acquire {
 public:
  // `begun` is when the patience of -w began to count.
  Acquire(const Options& options, const Requests& requests, Api& api, Signals& signals,
          Moment begun);

  // Returns a lock, or how the client must end without one; then it has told the user why.
  [[nodiscard]] std::variant<Holding, Ending> run();

 private:
  enum class Stage {
    asking,      // a get or wait is under way
    confirming,  // granted, but asked for too long ago: a renewal is under way
    pausing,     // all servers have failed; they are asked again at retry_at_
    over,
  };

  void ask(Moment now);
  void ask_last(Moment now);
  void confirm(Moment now, const Reply& granted);
  void take_answers();
  void take_asked(Moment now, const Reply& reply);
  void take_confirmed(Moment now, const Reply& reply);
  [[nodiscard]] bool is_final_no(Moment now, const Reply& reply) const;
  void take_failure(Moment now, const Reply& reply);
  void look_for_life(Moment now);
  void take_sign_of_life(Moment now, const RawAnswer& raw);
  [[nodiscard]] Span share(Moment now) const;
  void take_signals();
  void tick(Moment now);
  void tell_holders(const RawAnswer& raw);
  [[nodiscard]] std::optional<Moment> next_moment() const;

  void obtained(const Holding& holding);
  void end(Ending ending);
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
  std::size_t failures_ = 0;   // servers that failed in this round
  std::size_t lasting_ = 0;    // those of them that cannot answer until somebody acts
  bool was_reached_ = false;   // a server was reached once; from then on wait for it without -w
  bool may_be_known_ = false;  // a server may have this run in its queue, or have granted the lock
  bool is_asking_last_ = false;  // ask_last() was called: -w is over
  bool is_probing_own_ =
      false;  // a get under way finds out whether the wait would be for our own lock
  bool has_probed_own_ = false;
  std::vector<std::string> troubles_;  // the last trouble of each server; empty: none
  std::string frozen_;                 // why the pool is frozen, as the last answer said
  Holding unconfirmed_;
  std::variant<Holding, Ending> outcome_ = Ending{};

  // A server answers a wait only when there is a lock. This request shows meanwhile whether the
  // server lives.
  Api::Ticket life_ticket_ = 0;
  std::optional<Moment> life_at_;
  bool is_silent_ = false;

  Api::Ticket status_ticket_ = 0;  // with -v: asks who holds the lock
  std::optional<Moment> status_at_;
};

}  // namespace distributex::client
