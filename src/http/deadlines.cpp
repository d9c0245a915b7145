// SPDX-License-Identifier: MIT
// A deadline is set by moving the connection's node between lists: a request costs neither
// a timer nor an allocation.
#include "http/deadlines.h"

#include <iterator>
#include <utility>

#include "base/clock.h"
#include "http/connection.h"

namespace distributex {

namespace {

constexpr timeval sweep_interval{.tv_sec = 0, .tv_usec = 250'000};

}  // namespace

Deadlines::Deadlines(event_base* base, std::function<void(Connection&)> overdue)
    : overdue_(std::move(overdue)), sweep_(evtimer_new(base, on_sweep, this)) {}

void Deadlines::set_lengths(Duration request, Duration idle) {
  io_length_ = request;
  idle_length_ = idle;
}

void Deadlines::add(Connection& connection, Time now) {
  unbounded_.push_back(&connection);
  connection.deadline.place = std::prev(unbounded_.end());
  connection.deadline.in = &unbounded_;
  expect_io(connection, now);
}

void Deadlines::remove(Connection& connection) {
  connection.deadline.in->erase(connection.deadline.place);
}

void Deadlines::expect_io(Connection& connection, Time now) {
  put(connection, io_, now + io_length_);
  arm(now);
}

void Deadlines::expect_request(Connection& connection, Time now) {
  put(connection, idle_, now + idle_length_);
  arm(now);
}

void Deadlines::request_began(Connection& connection, Time now) {
  if (connection.deadline.in == &idle_) {
    expect_io(connection, now);
  }
}

void Deadlines::expect_nothing(Connection& connection) { put(connection, unbounded_, Time::max()); }

void Deadlines::put(Connection& connection, std::list<Connection*>& list, Time due) {
  DeadlinePlace& deadline = connection.deadline;
  list.splice(list.end(), *deadline.in, deadline.place);
  deadline.in = &list;
  deadline.due = due;
}

Connection* Deadlines::take_due(Time now) {
  for (std::list<Connection*>* list : {&io_, &idle_}) {
    if (list->empty() || list->front()->deadline.due > now) {
      continue;
    }
    Connection* connection = list->front();
    expect_nothing(*connection);
    return connection;
  }
  return nullptr;
}

// To be called for every deadline: without an armed sweep an overdue connection would stay
// for ever on a quiet server.
void Deadlines::arm(Time now) {
  if (armed_) {
    return;
  }
  armed_ = true;
  armed_at_ = now;
  evtimer_add(sweep_.get(), &sweep_interval);
}

void Deadlines::on_sweep(int, short, void* self) noexcept {
  static_cast<Deadlines*>(self)->sweep();
}

// Ends the connections that were overdue when the sweep was armed, not those that are
// overdue only now: if the loop stood still since (the process was stopped, the machine
// paused), bytes that a client sent in time may be unread. They are read before the next
// sweep.
void Deadlines::sweep() {
  armed_ = false;
  while (Connection* connection = take_due(armed_at_)) {
    overdue_(*connection);
  }
  if (!io_.empty() || !idle_.empty()) {
    arm(steady_now());
  }
}

}  // namespace distributex
