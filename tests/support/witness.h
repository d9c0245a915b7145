// SPDX-License-Identifier: MIT
// Sees all that passes between clients, engine and backend, keeps lists of waiters and of
// leases that clients were told of, and reports what must never happen: a second answer, a
// holder too many, an overtaken waiter, a lease taken from a client that was told of it, a
// lease that no client knows of.
#pragma once

#include <list>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "engine/engine.h"
#include "lock/words.h"

namespace distributex::test {

class Witness {
 public:
  struct Place {
    Ticket turn;
    Time until;
  };
  struct Open {
    Ticket ticket;
    Ticket turn;  // the first ticket of the owner's that it may stand at the place of
    Command request;
    std::optional<Time> gives_up;
    std::optional<Place> place = {};  // the one that it came back to
  };
  struct Grant {
    Ticket ticket;
    std::string pool;
    Owner owner;
    Token token;
    std::optional<Time> ends;
  };

  // Clients.
  void submits(Ticket ticket, const Command& request, Time now);
  void goes(Ticket ticket, Time now);  // whether it waits or its answer is on the way
  void gets(Ticket ticket, Time now);

  // The engine.
  void told(const Answered& answered, Time now);
  void asks(const Acquire& question);
  void asks(const Release& question);
  void asks(const Renew& question);
  void hears(OpId op, const Verdict& verdict);
  void configured(const std::vector<PoolSpec>& pools);

  // What must be so after every event, and after a tick.
  void look_at(const Engine& engine, Time now);
  void look_after_tick(Time now);

  [[nodiscard]] bool was_heard_of(Token token) const;
  [[nodiscard]] const std::list<Grant>& on_their_way() const { return on_their_way_; }
  [[nodiscard]] const std::list<Open>& open() const { return open_; }
  [[nodiscard]] const std::string& wrong() const { return wrong_; }
  void wrong(std::string what) {
    if (wrong_.empty()) {
      wrong_ = std::move(what);
    }
  }

 private:
  using Who = std::pair<std::string, Owner>;  // an owner in a pool
  struct Heard {
    size_t open = 0;
    size_t got = 0;
  };

  void told_of_lease(const Open& asked, const Answer& answer, Time now);
  void granted(const Open& asked, Token token, Time now);
  void renewed(const Who& who, const Answer& answer, Time now);
  void remembers(const Open& left, Time now);
  void doubts(const Who& who, const Command& request, Time now);
  size_t other_holders(const Who& who, Time now) const;

  std::list<Open> open_;
  std::map<Who, Place> places_;  // of those who left and may come back
  std::list<Grant> on_their_way_;
  std::list<Grant> believed_;
  std::map<Token, Heard> heard_;
  std::set<Token> granted_, given_back_;
  std::map<Token, Who> unheard_;     // all who were told have gone
  std::set<Who> just_told_;          // of a lease, since the last look
  std::set<Ticket> doubtful_;        // its client would be wrong to trust the answer
  std::map<OpId, Token> returning_;  // questions of the engine's own
  std::multiset<Who> unsettled_;     // releases and renewals without a verdict
  std::map<OpId, Who> settles_;
  std::map<std::string, std::pair<OpId, Acquire>> acquires_;  // in flight, of each pool
  std::map<Token, uint32_t> slots_;
  const Open* submitting_ = nullptr;
  std::string wrong_;
};

}  // namespace distributex::test
