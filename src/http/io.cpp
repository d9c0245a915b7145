// SPDX-License-Identifier: MIT
// Moves bytes between the transport and evhttp's buffers. With a socket of its own evhttp
// would ask how many bytes there are before each read, would change its epoll registration
// twice a request, and would not notice that a client leaves while its request is pending.
// So a connection's bufferevent has no socket: one read() a request fills its input, and
// one write() empties its output or sends a reply that was never in it. A brief request
// bypasses evhttp: for evhttp the connection is idle until the answer has left.
#include <event2/bufferevent.h>
#include <sys/socket.h>

#include <algorithm>
#include <utility>

#include "base/clock.h"
#include "http/server.h"

namespace distributex {

namespace {

constexpr size_t waiting_bytes = 4096;     // a client that waits may send so much ahead
constexpr size_t piece_bytes = 64 * 1024;  // of one write()
constexpr char tls_handshake = 0x16;       // the first byte of a ClientHello

}  // namespace

void Connection::take_socket() {
  bufferevent_setfd(bev(), detached(fd));
  evbuffer_add_cb(bufferevent_get_output(bev()), on_output, this);
  readable_.reset(event_new(commons_.base, fd, EV_READ | EV_PERSIST, on_readable, this));
  transport_->wakes(*readable_);
  watch(*readable_);
}

// Must be called while evhttp still has the connection.
void Connection::leave_socket() {
  evbuffer_remove_cb(bufferevent_get_output(bev()), on_output, this);
  transport_->end();
  readable_.reset();
  writable_.reset();
}

// If the kernel refuses to watch the socket, the connection ends.
void Connection::watch(event& awaited) {
  if (event_add(&awaited, nullptr) != 0) {
    end_soon(awaited);
  }
}

// Ends the connection in the next pass of the loop: the caller still uses it.
void Connection::end_soon(event& by) { event_active(&by, EV_TIMEOUT, 0); }

// What the client has sent is not read: over TLS it would begin a handshake.
void Connection::shut_out() {
  shutdown(fd, SHUT_RDWR);
  end_soon(*readable_);
}

void Connection::on_readable(int, short what, void* self) noexcept {
  Connection& connection = *static_cast<Connection*>(self);
  if (what & EV_TIMEOUT) {
    return connection.not_read(Io::State::broken);
  }
  if (std::exchange(connection.awaits_transport_, false)) {
    connection.watch(*connection.readable_);
  }
  if (connection.writes_when_readable_) {
    connection.writes_when_readable_ = false;
    connection.want_to_write();
  }
  if (std::exchange(connection.goes_on_, false)) {
    return connection.hand_over();
  }
  connection.read_some();
}

// At so many bytes of unhandled input the connection stops reading.
size_t Connection::read_mark() const { return is_waiting() ? waiting_mark_ : commons_.read_ahead; }

// Input that arrives before an answer is kept, up to read_mark(). At the mark reading
// pauses; if the client waits for its answer, the connection ends instead, because without
// reading its end would not be noticed.
void Connection::read_some() {
  bufferevent* to = bev();
  evbuffer* input = bufferevent_get_input(to);
  const size_t kept = evbuffer_get_length(input);
  const size_t most = read_mark();
  if (kept >= most) {
    event_del(readable_.get());
    pauses_ = true;
    return;
  }
  const size_t room = std::min(commons_.bytes.size(), most - kept);
  const Io io = transport_->read({commons_.bytes.data(), room});
  if (io.state != Io::State::done) {
    return not_read(io.state);
  }
  if (!std::exchange(has_read_, true) && commons_.bytes[0] == tls_handshake &&
      transport_->is_cheap()) {
    commons_.tls_on_plain.seen(peer(), steady_now());
  }
  if (transport_->has_pending()) {
    event_active(readable_.get(), EV_READ, 0);
  }
  if (state_ == State::reading && !has_begun_ && kept == 0 &&
      http.take_brief(*this, {commons_.bytes.data(), io.bytes})) {
    return;
  }
  evbuffer_add(input, commons_.bytes.data(), io.bytes);
  if (state_ == State::reading && !has_begun_) {
    skip_empty_lines();
    has_begun_ = evbuffer_get_length(input) != 0;
  }
  if (state_ == State::reading && has_begun_) {
    hand_over();
  } else if (is_waiting() && kept + io.bytes >= most) {
    evhttp_connection_free(evcon);
  }
}

// Lets evhttp read the input.
void Connection::hand_over() {
  commons_.deadlines.request_began(*this, steady_now());
  admit_method();
  bufferevent_trigger(bev(), EV_READ, 0);
}

// Some clients send a line end behind a form that Content-Length does not count (RFC 9112,
// section 2.2). evhttp would take the empty line for a request.
void Connection::skip_empty_lines() {
  evbuffer* input = bufferevent_get_input(bev());
  for (unsigned char c = 0; evbuffer_copyout(input, &c, 1) == 1 && (c == '\r' || c == '\n');) {
    evbuffer_drain(input, 1);
  }
}

void Connection::await_request() {
  const evbuffer* input = bufferevent_get_input(bev());
  at_first_line_ = true;
  method.reset();
  if (evbuffer_get_length(input) != 0) {
    skip_empty_lines();
    admit_method();
  }
  has_begun_ = evbuffer_get_length(input) != 0;
}

void Connection::not_read(Io::State state) {
  switch (state) {
    case Io::State::done:
    case Io::State::wait:
      return;
    case Io::State::wait_other:
      reads_when_writable_ = true;
      return want_to_write();
    case Io::State::wait_event:
      event_del(readable_.get());
      awaits_transport_ = true;
      return;
    case Io::State::end:
    case Io::State::broken: {
      event_del(readable_.get());
      const short how = state == Io::State::end ? BEV_EVENT_EOF : BEV_EVENT_ERROR;
      return bufferevent_trigger_event(bev(), static_cast<short>(BEV_EVENT_READING | how), 0);
    }
  }
}

// Reads again after a request: reading may have paused at read_mark().
void Connection::keep_reading() {
  read_on();
  if (transport_->has_pending()) {
    event_active(readable_.get(), EV_READ, 0);
  }
}

void Connection::read_on() {
  if (std::exchange(pauses_, false)) {
    watch(*readable_);
  }
}

// evhttp looks at further input by itself only behind a request that it has read. Behind a
// brief request hand_over() is called for it, in the next pass of the loop: a call from
// here would answer requests in a row recursively.
void Connection::go_on() {
  if (has_begun_) {
    goes_on_ = true;
    event_active(readable_.get(), EV_READ, 0);
  }
}

void Connection::read_while_waiting() {
  waiting_mark_ = evbuffer_get_length(bufferevent_get_input(bev())) + waiting_bytes;
  read_on();
}

// Reads until no bytes are left: the end of the connection may come behind bytes.
bool Connection::has_left() {
  evbuffer* input = bufferevent_get_input(bev());
  for (;;) {
    const size_t kept = evbuffer_get_length(input);
    if (kept >= read_mark()) {
      return false;
    }
    const size_t room = std::min(commons_.bytes.size(), read_mark() - kept);
    const Io io = transport_->read({commons_.bytes.data(), room});
    if (io.state == Io::State::done) {
      evbuffer_add(input, commons_.bytes.data(), io.bytes);
      continue;
    }
    if (io.state != Io::State::end && io.state != Io::State::broken) {
      return false;
    }
    end_soon(*readable_);
    return true;
  }
}

// Writes the whole answer at once if the kernel takes it: the client gets it soonest, and
// epoll need not be asked when the socket is writable. The rest goes to evhttp's output
// buffer, where on_output() sees it. If the client has left, all bytes go there, and
// write_some() finds the error.
bool Connection::send_now(std::string_view bytes) {
  evbuffer* output = bufferevent_get_output(bev());
  if (evbuffer_get_length(output) == 0) {
    bytes.remove_prefix(transport_->write(bytes).bytes);
  }
  if (bytes.empty()) {
    return true;
  }
  evbuffer_add(output, bytes.data(), bytes.size());
  return false;
}

// Called when this file or evhttp has added to the output buffer.
void Connection::on_output(evbuffer*, const evbuffer_cb_info* change, void* self) noexcept {
  if (change->n_added > 0) {
    static_cast<Connection*>(self)->want_to_write();
  }
}

void Connection::want_to_write() {
  if (!writable_) {
    writable_.reset(event_new(commons_.base, fd, EV_WRITE | EV_PERSIST, on_writable, this));
  }
  watch(*writable_);
}

void Connection::on_writable(int, short what, void* self) noexcept {
  Connection& connection = *static_cast<Connection*>(self);
  if (what & EV_TIMEOUT) {
    return connection.not_read(Io::State::broken);
  }
  if (connection.reads_when_writable_) {
    connection.reads_when_writable_ = false;
    event_active(connection.readable_.get(), EV_READ, 0);
  }
  connection.write_some();
}

void Connection::write_some() {
  bufferevent* from = bev();
  evbuffer* output = bufferevent_get_output(from);
  const bool had_output = evbuffer_get_length(output) > 0;
  while (const size_t left = evbuffer_get_length(output)) {
    const size_t piece = std::min(left, piece_bytes);
    const auto* bytes =
        reinterpret_cast<const char*>(evbuffer_pullup(output, static_cast<ev_ssize_t>(piece)));
    const Io io = transport_->write({bytes, piece});
    if (io.state == Io::State::wait) {
      return;
    }
    if (io.state == Io::State::wait_other) {
      writes_when_readable_ = true;
      event_del(writable_.get());
      return;
    }
    if (io.state != Io::State::done) {
      event_del(writable_.get());
      return bufferevent_trigger_event(from, BEV_EVENT_WRITING | BEV_EVENT_ERROR, 0);
    }
    evbuffer_drain(output, io.bytes);
  }
  event_del(writable_.get());
  if (had_output && is_brief()) {
    http.sent_brief(*this);
  } else if (had_output) {
    bufferevent_trigger(from, EV_WRITE, 0);
  }
}

}  // namespace distributex
