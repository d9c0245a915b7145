// SPDX-License-Identifier: MIT
// Sets evhttp up, and accepts, counts, parks and closes connections. io.cpp moves their
// bytes, reply.cpp writes replies.
//
// evhttp owns a request, with one exception: if a connection fails before the answer,
// evhttp takes the connection off the request, and the close callback must free the
// request.
#include "http/server.h"

#include <event2/bufferevent.h>
#include <event2/keyvalq_struct.h>

#include <algorithm>
#include <cassert>
#include <utility>

#include "base/clock.h"
#include "base/log.h"

namespace distributex {

namespace {

using State = Connection::State;

constexpr uint32_t refusal_reserve = 64;    // so many above a limit are told why
constexpr size_t least_read_ahead = 16384;  // bytes of input kept a connection
constexpr unsigned descriptor_bits = 24;    // of a ticket; the rest counts requests
constexpr uint16_t every_method = 0xffff;   // evhttp refuses no method: the doors do

}  // namespace

Http::Http(event_base* base, const HttpLimits& limits, HttpEvents events)
    : events_(std::move(events)),
      commons_{.base = base, .deadlines = {base, [](Connection& late) { late.cut_off(); }}},
      body_(evbuffer_new()),
      fresh_event_(event_new(base, -1, 0, on_fresh, this)) {
  add_transport(make_plain_transport);
  set_limits(limits);
}

Http::~Http() {
  events_ = {};
  bound_.clear();
  for (const Fresh& fresh : fresh_) {
    bufferevent_decref(fresh.bev);
  }
  entrances_.clear();
}

size_t Http::add_transport(TransportMaker make) {
  entrances_.push_back(std::make_unique<Entrance>(Entrance{
      .http = this, .make = std::move(make), .evhttp = Evhttp{evhttp_new(commons_.base)}}));
  evhttp* http = entrances_.back()->evhttp.get();
  evhttp_set_bevcb(http, on_connection, entrances_.back().get());
  evhttp_set_gencb(http, on_request, this);
  evhttp_set_allowed_methods(http, every_method);
  evhttp_set_default_content_type(http, nullptr);
  set_limits(limits_);
  return entrances_.size() - 1;
}

void Http::set_limits(const HttpLimits& limits) {
  limits_ = limits;
  commons_.deadlines.set_lengths(limits.request_timeout, limits.idle_timeout);
  const size_t body = std::max<size_t>(limits.max_body_size, limits.largest_body);
  commons_.read_ahead =
      std::max<size_t>(least_read_ahead, size_t{2} * (limits.max_header_size + body));
  for (const auto& entrance : entrances_) {
    evhttp_set_max_headers_size(entrance->evhttp.get(), limits.max_header_size);
    evhttp_set_max_body_size(entrance->evhttp.get(), static_cast<ev_ssize_t>(body));
  }
}

bool Http::listen_on(Listener listener, size_t transport) {
  auto bound =
      BoundListener::bind(commons_.base, entrances_[transport]->evhttp.get(), std::move(listener));
  if (!bound) {
    return false;
  }
  bound_.push_back(std::move(bound));
  return true;
}

void Http::stop_listening() { bound_.clear(); }

// evhttp asks for the bufferevent before it sets its descriptor. on_fresh() runs later in
// the same pass of the loop, before anything is read, and finds the descriptor set.
bufferevent* Http::on_connection(event_base* base, void* entrance) noexcept {
  const Entrance& by = *static_cast<Entrance*>(entrance);
  bufferevent* bev = bufferevent_socket_new(base, -1, 0);  // evhttp closes the socket
  if (!bev) {
    return nullptr;
  }
  bufferevent_incref(bev);
  by.http->fresh_.push_back({bev, &by});
  event_active(by.http->fresh_event_.get(), EV_TIMEOUT, 0);
  return bev;
}

void Http::on_fresh(int, short, void* self) noexcept {
  Http& http = *static_cast<Http*>(self);
  for (const Fresh& fresh : std::exchange(http.fresh_, {})) {
    http.adopt(fresh);
    bufferevent_decref(fresh.bev);
  }
}

void Http::adopt(const Fresh& fresh) {
  const int fd = bufferevent_getfd(fresh.bev);
  void* evcon = nullptr;
  bufferevent_getcb(fresh.bev, nullptr, nullptr, nullptr, &evcon);
  if (fd < 0 || !evcon) {
    return;  // closed already
  }
  const auto slot = static_cast<size_t>(fd);
  assert(slot < (size_t{1} << descriptor_bits));
  if (connections_.size() <= slot) {
    connections_.resize(slot + 1);
  }
  assert(!connections_[slot]);
  connections_[slot] = std::make_unique<Connection>(
      *this, commons_, static_cast<evhttp_connection*>(evcon), fd, fresh.by->make(fd));
  Connection& connection = *connections_[slot];
  evhttp_connection_set_closecb(connection.evcon, on_close, &connection);
  connection.header_limit = limits_.max_header_size;
  connection.take_socket();
  commons_.deadlines.add(connection, steady_now());
  count(connection);
}

void Http::count(Connection& connection) {
  ++count_;
  connection.counted = peers_.enter(evhttp_connection_get_addr(connection.evcon));
  const uint32_t most = limits_.max_connections;
  const uint32_t most_per_peer = limits_.max_connections_per_peer;
  const uint32_t from_peer =
      connection.counted && most_per_peer > 0 ? connection.counted->second : 0;
  if (count_ > most) {
    connection.surplus = "the server has as many connections as it may have";
  } else if (from_peer > most_per_peer) {
    connection.surplus = "your address has as many connections to the server as it may have";
  }
  // Over TLS a refusal would cost a handshake: the connection is closed without one.
  if ((connection.surplus && !connection.hears_refusals()) || count_ > most + refusal_reserve ||
      from_peer > most_per_peer + refusal_reserve) {
    connection.shut_out();
  }
}

void Http::on_request(evhttp_request* request, void* self) noexcept {
  static_cast<Http*>(self)->handle(request);
}

void Http::handle(evhttp_request* request) {
  bufferevent* bev = evhttp_connection_get_bufferevent(evhttp_request_get_connection(request));
  const int fd = detached(bufferevent_getfd(bev));
  Connection& connection = *connections_[static_cast<size_t>(fd)];
  connection.request = request;
  begin(connection);
  dispatch(connection, request);
}

void Http::begin(Connection& connection) {
  connection.enter(State::asking);
  connection.ticket = ++last_ticket_ << descriptor_bits | static_cast<Ticket>(connection.fd);
  commons_.deadlines.expect_nothing(connection);
}

// events_.request may answer the request at once, and the answer may close the connection:
// so the connection is looked up again.
void Http::dispatch(Connection& connection, HttpRequest& request) {
  std::string complaint;
  judge(connection, request, complaint);
  const Ticket ticket = connection.ticket;
  events_.request(ticket, request);
  Connection* unanswered = at_slot(ticket);
  if (unanswered && unanswered->state() == State::asking) {
    park(*unanswered);
  }
}

void Http::park(Connection& connection) {
  if (connection.request) {
    keep_little(connection.request);
  }
  connection.read_while_waiting();
  connection.enter(State::parked);
}

// Frees the headers of a request that has to wait, but for Connection, which evhttp reads
// when the answer is sent.
void Http::keep_little(evhttp_request* request) {
  evkeyvalq* headers = evhttp_request_get_input_headers(request);
  const char* word = evhttp_find_header(headers, "Connection");
  const std::string kept = word ? word : "";
  evhttp_clear_headers(headers);
  if (!kept.empty()) {
    evhttp_add_header(headers, "Connection", kept.c_str());
  }
}

void Http::on_close(evhttp_connection*, void* connection) noexcept {
  Connection& closed = *static_cast<Connection*>(connection);
  closed.http.closed(closed);
}

void Http::closed(Connection& connection) {
  commons_.deadlines.remove(connection);
  connection.leave_socket();
  --count_;
  peers_.leave(connection.counted);
  if (connection.request && !evhttp_request_get_connection(connection.request)) {
    evhttp_request_free(connection.request);
  }
  const bool unanswered = connection.is_open() || connection.state() == State::streaming;
  connection.enter(State::closed);  // from here on find() does not find it
  if ((unanswered || connection.watched) && events_.gone) {
    events_.gone(connection.ticket);
  }
  connections_[static_cast<size_t>(connection.fd)].reset();
}

// The connection whose current or last request has this ticket.
Connection* Http::at_slot(Ticket ticket) {
  const auto slot = static_cast<size_t>(ticket & ((Ticket{1} << descriptor_bits) - 1));
  Connection* connection = slot < connections_.size() ? connections_[slot].get() : nullptr;
  return connection && connection->ticket == ticket ? connection : nullptr;
}

Connection* Http::find(Ticket ticket) {
  Connection* connection = at_slot(ticket);
  return connection && connection->is_open() ? connection : nullptr;
}

std::string_view Http::peer(Ticket ticket) {
  Connection* connection = at_slot(ticket);
  return connection ? connection->peer() : std::string_view{};
}

}  // namespace distributex
