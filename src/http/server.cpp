// SPDX-License-Identifier: MIT
// evhttp's set-up and the life of connections: accepted, read, parked, closed.
// What goes through the sockets is in http_io.cpp, answers in http_reply.cpp.
//
// Who owns a request: evhttp, except when a connection failed before the
// answer; then its close callback finds the request without a connection, and
// has to free it.
#include "http/server.h"

#include <event2/bufferevent.h>
#include <event2/keyvalq_struct.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include <algorithm>
#include <cassert>
#include <utility>

#include "base/clock.h"
#include "base/log.h"

namespace distributex {

namespace {

constexpr timeval sweep_interval{.tv_sec = 0, .tv_usec = 250'000};
constexpr uint32_t refusal_reserve = 64;    // connections that still hear why not
constexpr size_t least_read_ahead = 16384;  // bytes of input kept a connection
constexpr unsigned descriptor_bits = 24;    // of a ticket; the rest counts requests
constexpr uint16_t every_method = 0xffff;   // unknown ones as well: ours to refuse

}  // namespace

Http::Http(event_base* base, const HttpLimits& limits, HttpEvents events)
    : base_(base),
      events_(std::move(events)),
      body_(evbuffer_new()),
      fresh_event_(event_new(base, -1, 0, on_fresh, this)),
      sweep_event_(evtimer_new(base, on_sweep, this)),
      evhttp_(evhttp_new(base)) {
  evhttp_set_bevcb(evhttp_.get(), on_connection, this);
  evhttp_set_gencb(evhttp_.get(), on_request, this);
  evhttp_set_allowed_methods(evhttp_.get(), every_method);
  evhttp_set_default_content_type(evhttp_.get(), nullptr);
  set_limits(limits);
}

Http::~Http() {
  events_ = {};
  bound_.clear();
  for (bufferevent* bev : fresh_) bufferevent_decref(bev);
  evhttp_.reset();
}

void Http::set_limits(const HttpLimits& limits) {
  max_connections_ = limits.max_connections;
  max_per_peer_ = limits.max_connections_per_peer;
  deadlines_.set_lengths(limits.request_timeout, limits.idle_timeout);
  evhttp_set_max_headers_size(evhttp_.get(), limits.max_header_size);
  evhttp_set_max_body_size(evhttp_.get(), limits.max_body_size);
  read_ahead_ = std::max<size_t>(least_read_ahead,
                                 size_t{2} * (limits.max_header_size + limits.max_body_size));
}

bool Http::listen_on(Listener listener) {
  auto bound = BoundListener::bind(base_, evhttp_.get(), std::move(listener));
  if (!bound) return false;
  bound_.push_back(std::move(bound));
  return true;
}

void Http::stop_listening() { bound_.clear(); }

// evhttp asks for the bufferevent before it gives it the descriptor; a moment
// later, still in the same pass of the loop and before anything is read, on_fresh
// finds it there.
bufferevent* Http::on_connection(event_base* base, void* self) noexcept {
  Http& http = *static_cast<Http*>(self);
  bufferevent* bev = bufferevent_socket_new(base, -1, 0);  // evhttp closes the socket
  if (!bev) return nullptr;
  bufferevent_incref(bev);
  http.fresh_.push_back(bev);
  event_active(http.fresh_event_.get(), EV_TIMEOUT, 0);
  return bev;
}

void Http::on_fresh(int, short, void* self) noexcept {
  Http& http = *static_cast<Http*>(self);
  for (bufferevent* bev : std::exchange(http.fresh_, {})) {
    http.adopt(bev);
    bufferevent_decref(bev);
  }
}

void Http::adopt(bufferevent* bev) {
  const int fd = bufferevent_getfd(bev);
  void* evcon = nullptr;
  bufferevent_getcb(bev, nullptr, nullptr, nullptr, &evcon);
  if (fd < 0 || !evcon) return;  // closed already
  const auto slot = static_cast<size_t>(fd);
  assert(slot < (size_t{1} << descriptor_bits));
  if (conns_.size() <= slot) conns_.resize(slot + 1);
  assert(!conns_[slot]);
  conns_[slot] = std::make_unique<Conn>(
      Conn{.http = this, .evcon = static_cast<evhttp_connection*>(evcon), .fd = fd});
  Conn& conn = *conns_[slot];
  evhttp_connection_set_closecb(conn.evcon, on_close, &conn);
  take_socket(conn, bev);
  deadlines_.add(conn, steady_now());
  arm_sweep();
  count(conn);
}

void Http::count(Conn& conn) {
  ++count_;
  conn.counted = peers_.enter(evhttp_connection_get_addr(conn.evcon));
  const uint32_t from_peer = conn.counted && max_per_peer_ > 0 ? conn.counted->second : 0;
  if (count_ > max_connections_)
    conn.surplus = "the server has as many connections as it may have";
  else if (from_peer > max_per_peer_)
    conn.surplus = "your address has as many connections to the server as it may have";
  if (count_ > max_connections_ + refusal_reserve || from_peer > max_per_peer_ + refusal_reserve)
    shutdown(conn.fd, SHUT_RDWR);
}

void Http::arm_sweep() {
  if (!deadlines_.any() || evtimer_pending(sweep_event_.get(), nullptr)) return;
  evtimer_add(sweep_event_.get(), &sweep_interval);
  sweep_armed_at_ = steady_now();
}

void Http::on_sweep(int, short, void* self) noexcept { static_cast<Http*>(self)->sweep(); }

// Ends connections whose time was over when the sweep was armed. Not those whose
// time is over now: when the loop has stood still since (the process was stopped,
// the machine paused), what they have sent in time may be unread. It is read
// before the next sweep.
void Http::sweep() {
  while (const Conn* conn = deadlines_.take_due(sweep_armed_at_)) cut_off(*conn);
  arm_sweep();
}

// Where answers have not been taken it ends with a reset, or the kernel would go
// on keeping them. That the connection is read from, and so would see its own
// end, is not sure: it may have sent more than is kept.
void Http::cut_off(const Conn& conn) {
  int unsent = 0;
  if (ioctl(conn.fd, TIOCOUTQ, &unsent) == 0 && unsent > 0) {
    const linger now{.l_onoff = 1, .l_linger = 0};
    (void)setsockopt(conn.fd, SOL_SOCKET, SO_LINGER, &now, sizeof now);
  }
  shutdown(conn.fd, SHUT_RDWR);
  evhttp_connection_free(conn.evcon);
}

void Http::on_request(evhttp_request* request, void* self) noexcept {
  static_cast<Http*>(self)->handle(request);
}

void Http::handle(evhttp_request* request) {
  bufferevent* bev = evhttp_connection_get_bufferevent(evhttp_request_get_connection(request));
  const int fd = detached(bufferevent_getfd(bev));
  Conn& conn = *conns_[static_cast<size_t>(fd)];
  assert(conn.state == ConnState::reading);
  conn.state = ConnState::asking;
  conn.request = request;
  const Ticket ticket = ++last_ticket_ << descriptor_bits | static_cast<Ticket>(fd);
  conn.ticket = ticket;
  deadlines_.expect_nothing(conn);
  dispatch(conn, request);
  Conn* unanswered = at_slot(ticket);  // the connection may be closed by now
  if (unanswered && unanswered->state == ConnState::asking) park(*unanswered);
}

// Keeps little of a request that takes time.
void Http::park(Conn& conn) {
  evkeyvalq* headers = evhttp_request_get_input_headers(conn.request);
  const char* connection = evhttp_find_header(headers, "Connection");
  const std::string kept = connection ? connection : "";
  evhttp_clear_headers(headers);
  if (!kept.empty()) evhttp_add_header(headers, "Connection", kept.c_str());
  read_while_parked(conn);
  conn.state = ConnState::parked;
}

void Http::on_close(evhttp_connection*, void* conn) noexcept {
  Conn& closed = *static_cast<Conn*>(conn);
  closed.http->closed(closed);
}

void Http::closed(Conn& conn) {
  deadlines_.remove(conn);
  leave_socket(conn);
  --count_;
  peers_.leave(conn.counted);
  if (conn.state == ConnState::sending) --sending_;
  if (conn.request && !evhttp_request_get_connection(conn.request))
    evhttp_request_free(conn.request);
  const bool unanswered = conn.state == ConnState::asking || conn.state == ConnState::parked ||
                          conn.state == ConnState::streaming;
  conn.state = ConnState::reading;  // nobody can answer it any more
  if ((unanswered || conn.watched) && events_.gone) events_.gone(conn.ticket);
  conns_[static_cast<size_t>(conn.fd)].reset();
}

// The connection whose request this is, or was its last one.
Conn* Http::at_slot(Ticket ticket) {
  const auto slot = static_cast<size_t>(ticket & ((Ticket{1} << descriptor_bits) - 1));
  Conn* conn = slot < conns_.size() ? conns_[slot].get() : nullptr;
  return conn && conn->ticket == ticket ? conn : nullptr;
}

Conn* Http::find(Ticket ticket) {
  Conn* conn = at_slot(ticket);
  const bool open = conn && (conn->state == ConnState::asking || conn->state == ConnState::parked);
  return open ? conn : nullptr;
}

}  // namespace distributex
