// SPDX-License-Identifier: MIT
// One HTTP connection, and the two deadlines under which
// connections stand: for a request to arrive whole or a reply to be taken, and
// for idling between requests. Belongs to server.h.
#pragma once

#include <list>
#include <string>

#include "base/handle.h"
#include "http/message.h"
#include "http/peers.h"
#include "lock/words.h"

struct evhttp_connection;
struct evhttp_request;

namespace distributex {

class Http;
struct Conn;

enum class ConnState {
  reading,   // no request, or an unfinished one
  asking,    // a whole request, being looked at
  parked,    // a whole request whose answer takes time
  sending,   // an answer that the kernel has not taken yet
  streaming  // an answer that goes on
};

struct Conn {
  Http* http;
  evhttp_connection* evcon;
  int fd;
  const char* surplus = nullptr;  // above a cap: why; one refusal, then closed
  Peers::Peer* counted = nullptr;
  std::list<Conn*>::iterator place{};  // in one of Deadlines' lists
  std::list<Conn*>* in = nullptr;
  Time due{};

  ConnState state = ConnState::reading;
  evhttp_request* request = nullptr;  // all but reading
  Ticket ticket = 0;                  // all but reading
  Event readable{};
  Event writable{};        // once there was something that had to wait
  size_t parked_mark = 0;  // parked: bytes of input at which it is cut off
  Mark mark{};
  bool old = false;      // its client speaks HTTP/1.0
  bool closes = false;   // the connection, with the answer
  std::string peer{};    // address:port, once somebody has asked for it
  bool watched = false;  // sending: somebody wants to hear of the delivery
};

// A bufferevent without a socket: below zero libevent watches nothing, and the
// number still tells whose it is. The inverse of itself.
constexpr int detached(int fd) { return -2 - fd; }

// Each list is in the order in which its connections are due, since all of one
// list have the same time.
class Deadlines {
 public:
  void set_lengths(Duration request, Duration idle);

  void add(Conn& conn, Time now);
  void remove(Conn& conn);
  void expect_io(Conn& conn, Time now) { put(conn, io_, now + io_length_); }
  void expect_request(Conn& conn, Time now) { put(conn, idle_, now + idle_length_); }
  // More bytes of a request that has begun give it no more time.
  void request_began(Conn& conn, Time now) {
    if (conn.in == &idle_) expect_io(conn, now);
  }
  void expect_nothing(Conn& conn) { put(conn, unbounded_, Time::max()); }

  // A connection whose time is over, taken off its deadline; or nothing.
  Conn* take_due(Time now);
  [[nodiscard]] bool any() const { return !io_.empty() || !idle_.empty(); }

 private:
  static void put(Conn& conn, std::list<Conn*>& list, Time due);

  Duration io_length_{};
  Duration idle_length_{};
  std::list<Conn*> io_;
  std::list<Conn*> idle_;
  std::list<Conn*> unbounded_;
};

}  // namespace distributex
