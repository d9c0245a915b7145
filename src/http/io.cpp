// SPDX-License-Identifier: MIT
// The bytes between sockets and evhttp's buffers. By itself evhttp asks how much
// there is before it reads, tells epoll twice a request to stop and to go on
// reading, and never sees a client leave while its request is pending. So a
// connection's bufferevent has no socket: one recv a request fills it, and one
// send empties it or goes past it.
#include <event2/bufferevent.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>

#include "base/clock.h"
#include "http/server.h"

namespace distributex {

namespace {

constexpr size_t parked_bytes = 4096;  // that a waiting client may send ahead

}  // namespace

// Moves the socket from the bufferevent into our hands.
void Http::take_socket(Conn& conn, bufferevent* bev) {
  bufferevent_setfd(bev, detached(conn.fd));
  evbuffer_add_cb(bufferevent_get_output(bev), on_output, &conn);
  conn.readable.reset(event_new(base_, conn.fd, EV_READ | EV_PERSIST, on_readable, &conn));
  event_add(conn.readable.get(), nullptr);
}

// To be called while evhttp still has the connection.
void Http::leave_socket(Conn& conn) {
  evbuffer_remove_cb(bufferevent_get_output(evhttp_connection_get_bufferevent(conn.evcon)),
                     on_output, &conn);
  conn.readable.reset();
  conn.writable.reset();
}

void Http::on_readable(int, short, void* conn) noexcept {
  Conn& readable = *static_cast<Conn*>(conn);
  readable.http->read_some(readable);
}

// What arrives before an answer is kept for afterwards, up to a mark. Beyond it
// nothing more is read, and a parked client is cut off: its end would go unseen.
void Http::read_some(Conn& conn) {
  bufferevent* bev = evhttp_connection_get_bufferevent(conn.evcon);
  evbuffer* input = bufferevent_get_input(bev);
  const size_t kept = evbuffer_get_length(input);
  const size_t mark = conn.state == ConnState::parked ? conn.parked_mark : read_ahead_;
  if (kept >= mark) {
    event_del(conn.readable.get());
    return;
  }
  const ssize_t n = recv(conn.fd, bytes_.data(), std::min(bytes_.size(), mark - kept), 0);
  if (n < 0 && (errno == EAGAIN || errno == EINTR)) return;
  if (n <= 0) {
    event_del(conn.readable.get());
    const short end = n == 0 ? BEV_EVENT_EOF : BEV_EVENT_ERROR;
    return bufferevent_trigger_event(bev, BEV_EVENT_READING | end, 0);
  }
  evbuffer_add(input, bytes_.data(), static_cast<size_t>(n));
  if (conn.state == ConnState::reading) {
    deadlines_.request_began(conn, steady_now());
    bufferevent_trigger(bev, EV_READ, 0);
  } else if (conn.state == ConnState::parked && kept + static_cast<size_t>(n) >= mark) {
    evhttp_connection_free(conn.evcon);
  }
}

void Http::read_while_parked(Conn& conn) {
  evbuffer* input = bufferevent_get_input(evhttp_connection_get_bufferevent(conn.evcon));
  conn.parked_mark = evbuffer_get_length(input) + parked_bytes;
  event_add(conn.readable.get(), nullptr);
}

// The whole of an answer, at once if the kernel takes it: the client is woken
// soonest, and epoll need not be told of a wish to write. What is left is put
// where on_output sees it; so is all when the client is not there any more, and
// its end is found like any other.
bool Http::send_now(Conn& conn, std::string_view bytes) {
  evbuffer* output = bufferevent_get_output(evhttp_connection_get_bufferevent(conn.evcon));
  if (evbuffer_get_length(output) == 0) {
    const ssize_t n = ::send(conn.fd, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (n > 0) bytes.remove_prefix(static_cast<size_t>(n));
  }
  if (bytes.empty()) return true;
  evbuffer_add(output, bytes.data(), bytes.size());
  return false;
}

// Ours or evhttp's own words: there is something to be written.
void Http::on_output(evbuffer*, const evbuffer_cb_info* change, void* conn) noexcept {
  if (change->n_added == 0) return;
  Conn& filled = *static_cast<Conn*>(conn);
  if (!filled.writable)
    filled.writable.reset(
        event_new(filled.http->base_, filled.fd, EV_WRITE | EV_PERSIST, on_writable, conn));
  event_add(filled.writable.get(), nullptr);
}

void Http::on_writable(int, short, void* conn) noexcept { write_some(*static_cast<Conn*>(conn)); }

void Http::write_some(Conn& conn) {
  bufferevent* bev = evhttp_connection_get_bufferevent(conn.evcon);
  evbuffer* output = bufferevent_get_output(bev);
  if (evbuffer_get_length(output) > 0 && evbuffer_write(output, conn.fd) < 0) {
    if (errno == EAGAIN || errno == EINTR) return;
    event_del(conn.writable.get());
    return bufferevent_trigger_event(bev, BEV_EVENT_WRITING | BEV_EVENT_ERROR, 0);
  }
  if (evbuffer_get_length(output) > 0) return;
  event_del(conn.writable.get());
  bufferevent_trigger(bev, EV_WRITE, 0);
}

}  // namespace distributex
