// SPDX-License-Identifier: MIT
// The two deadlines of connections: for a request to arrive whole or a reply to be taken,
// and for idling between requests. One timer sweeps all connections while any of them has
// a deadline.
#pragma once

#include <functional>
#include <list>

#include "base/handle.h"
#include "base/time.h"

namespace distributex {

class Connection;

// A connection's place in one of the lists.
struct DeadlinePlace {
  std::list<Connection*>::iterator place{};
  std::list<Connection*>* in = nullptr;
  Time due{};
};

// Each list is in the order in which its connections are due, because all connections of a
// list get the same length of time.
class Deadlines {
 public:
  // overdue is called with each connection whose time is over; it may end the connection.
  // The connection has no deadline any more then.
  Deadlines(event_base* base, std::function<void(Connection&)> overdue);
  Deadlines(const Deadlines&) = delete;
  Deadlines& operator=(const Deadlines&) = delete;

  void set_lengths(Duration request, Duration idle);

  void add(Connection& connection, Time now);
  void remove(Connection& connection);
  void expect_io(Connection& connection, Time now);
  void expect_request(Connection& connection, Time now);
  // More bytes of a request that has begun give it no more time.
  void request_began(Connection& connection, Time now);
  void expect_nothing(Connection& connection);

 private:
  static void on_sweep(int, short, void* self) noexcept;
  void sweep();
  void arm(Time now);
  void put(Connection& connection, std::list<Connection*>& list, Time due);
  Connection* take_due(Time now);

  std::function<void(Connection&)> overdue_;
  Duration io_length_{};
  Duration idle_length_{};
  std::list<Connection*> io_;
  std::list<Connection*> idle_;
  std::list<Connection*> unbounded_;
  Event sweep_;
  bool armed_ = false;
  Time armed_at_{};
};

}  // namespace distributex
