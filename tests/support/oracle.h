// SPDX-License-Identifier: MIT
// The whole lock service as a slow and obvious model: lists in the order of arrival, walked
// from front to back at every event, with a backend of its own that answers at once. The real
// service must give the same answers. The oracle numbers its grants; the test tells it which
// token belongs to which grant.
#pragma once

#include <list>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "lock/words.h"

namespace distributex::test {

using Grant = uint64_t;  // 0: none

struct OracleAnswer {
  Ticket ticket = 0;
  Result result = Result::unavailable;
  Fault fault = Fault::none;
  Grant grant = 0;
  std::optional<Duration> expires_in;
};

struct OracleLease {
  Owner owner;
  Grant grant;
  Time since;
  std::optional<std::chrono::seconds> length;
  std::optional<Time> ends;
};

struct OracleWaiter {
  Ticket ticket;
  Ticket turn;  // the ticket with which it came first, if it has come back since
  Owner owner;
  Time since;
  std::optional<Time> gives_up;
  std::optional<std::chrono::seconds> expire;
};

// Where somebody stood who left the line.
struct OraclePlace {
  Owner owner;
  Ticket turn;
  Time until;
};

class Oracle {
 public:
  void configure(const std::vector<PoolSpec>& pools, size_t max_waiting, Time now);
  void submit(Ticket ticket, const Command& request, Time now);
  void arrived(Ticket ticket);
  void gone(Ticket ticket, Time now);
  void drain();

  // When something ends by itself, and what does.
  [[nodiscard]] std::optional<Time> deadline() const;
  void advance(Time now);

  [[nodiscard]] std::vector<OracleAnswer> take_answers();
  void learn(Grant grant, Token token) { tokens_[grant] = token; }
  [[nodiscard]] Token token_of(Grant grant) const;

  [[nodiscard]] const std::list<OracleLease>& leases(const std::string& pool) const;
  [[nodiscard]] const std::list<OracleWaiter>& waiters(const std::string& pool) const;
  // The ends of slots that rest, the first first.
  [[nodiscard]] std::vector<Time> rests(const std::string& pool) const;
  [[nodiscard]] bool is_frozen(const std::string& name) const;

 private:
  struct Pool {
    std::optional<PoolSpec> spec;  // nothing: not configured
    std::list<OracleLease> leases;
    std::list<OracleWaiter> waiters;
    std::list<OraclePlace> places;
    std::vector<Time> rests;  // ends
    uint32_t failed_runs = 0;
  };
  enum class Delivery { open, arrived, gone };
  struct Told {
    Ticket ticket;
    std::string pool;
    Grant grant;
    Delivery delivery;
  };

  Fault fault_of(const Command& request) const;
  void take(Pool& pool, Ticket ticket, const Command& request, Time now);
  const OracleLease& grant(Pool& pool, const Owner& owner,
                           std::optional<std::chrono::seconds> asked, Time now);
  void tell_holder(Pool& pool, Ticket ticket, const OracleLease& lease, Result result, Time now);
  void change_lease(Pool& pool, Ticket ticket, const Command& request, Time now);
  void serve(Pool& pool, Time now);
  [[nodiscard]] bool has_room(const Pool& pool) const;
  void freeze(Ticket ticket, const Command& request, Time now);
  void thaw(Ticket ticket, const Command& request, Time now);
  void evict(Pool& pool, Ticket ticket, const Command& request, Time now);
  void cut(const std::string& name, Pool& pool, Time at);
  void count_run(const std::string& name, Pool& pool, bool failed);
  static void rest_after_release(Pool& pool, Time since, Time now);
  void remember(Pool& pool, const OracleWaiter& waiter, Time now);
  void tell(Ticket ticket, Result result, Fault fault = Fault::none);
  void give_back_unheard(Grant grant, Time now);
  OracleLease* lease_of(Pool& pool, const Owner& owner, std::optional<Token> token);
  static std::optional<std::chrono::seconds> length(const PoolSpec& pool,
                                                    std::optional<std::chrono::seconds> asked);

  std::map<std::string, Pool> pools_;
  std::map<std::string, std::optional<Time>> freezes_;  // by name or pattern: until
  std::vector<Told> told_;                              // of every lease, and all who heard of it
  std::map<Grant, Token> tokens_;
  std::vector<OracleAnswer> answers_;
  Grant last_grant_ = 0;
  size_t max_waiting_ = 0;
  bool draining_ = false;
};

}  // namespace distributex::test
