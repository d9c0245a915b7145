// SPDX-License-Identifier: MIT
//
// Obtaining the lock: ask, wait in the server's line, ask another server or later when a server
// goes away, and tell the server when the wait is given up. Nothing is run here.
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

  // A lock, or how the client is to end without one; why has been said then.
  [[nodiscard]] std::variant<Holding, Ending> run();

 private:
  enum class Stage {
    asking,      // a get or wait is under way
    confirming,  // granted, but too long ago to count from: a renewal is under way
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
  std::size_t failures_ = 0;   // in this round of all servers
  std::size_t lasting_ = 0;    // of them: not worth asking again
  bool was_reached_ = false;   // a server was there once; without -w it is waited for from then on
  bool may_be_known_ = false;  // a server may have this run in its line, or have granted the lock
  bool is_asking_last_ = false;  // -w is over, and a get under way is to tell who has the lock
  bool is_probing_own_ =
      false;  // a get under way only finds out whether the wait is for our own lock
  bool has_probed_own_ = false;
  std::vector<std::string> troubles_;  // the last of each server; empty: none
  std::string frozen_;                 // why the pool is frozen, as last heard
  Holding unconfirmed_;
  std::variant<Holding, Ending> outcome_ = Ending{};

  // A wait is not answered before there is a lock. This shows whether the server lives meanwhile.
  Api::Ticket life_ticket_ = 0;
  std::optional<Moment> life_at_;
  bool is_silent_ = false;

  Api::Ticket status_ticket_ = 0;  // -v: who holds the lock
  std::optional<Moment> status_at_;
};

}  // namespace distributex::client
