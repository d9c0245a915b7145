// SPDX-License-Identifier: MIT
// Moving between lists is all there is: no timer and no memory a request.
#include "http/conn.h"

#include <iterator>

namespace distributex {

void Deadlines::set_lengths(Duration request, Duration idle) {
  io_length_ = request;
  idle_length_ = idle;
}

void Deadlines::add(Conn& conn, Time now) {
  unbounded_.push_back(&conn);
  conn.place = std::prev(unbounded_.end());
  conn.in = &unbounded_;
  expect_io(conn, now);
}

void Deadlines::remove(Conn& conn) { conn.in->erase(conn.place); }

void Deadlines::put(Conn& conn, std::list<Conn*>& list, Time due) {
  list.splice(list.end(), *conn.in, conn.place);
  conn.in = &list;
  conn.due = due;
}

Conn* Deadlines::take_due(Time now) {
  for (std::list<Conn*>* list : {&io_, &idle_}) {
    if (list->empty() || list->front()->due > now) continue;
    Conn* conn = list->front();
    expect_nothing(*conn);
    return conn;
  }
  return nullptr;
}

}  // namespace distributex
