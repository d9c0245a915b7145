// SPDX-License-Identifier: MIT
// Streams: a reply that is opened with its first bytes, continued in pieces, and ended by
// the server or because the client leaves. A stream has no deadline. Bytes that its client
// does not take are kept up to a bound; beyond the bound the connection is cut off. Also
// replies in slices.
#include <event2/bufferevent.h>
#include <event2/http.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <utility>

#include "base/clock.h"
#include "http/server.h"

namespace distributex {

namespace {

constexpr size_t most_unsent = 256 * 1024;
constexpr std::chrono::milliseconds silence{12'000};  // so long a watched client may take none

}  // namespace

Connection* Http::find_stream(Ticket ticket) {
  Connection* conn = at_slot(ticket);
  return conn && conn->state() == Connection::State::streaming ? conn : nullptr;
}

bool Http::open_stream(Ticket ticket, const HttpReply& reply, Presence presence) {
  Connection* conn = find(ticket);
  if (!conn) {
    return false;
  }
  if (presence == Presence::watched) {
    if (conn->has_left()) {
      return false;
    }
    watch_presence(*conn);
  }
  conn->read_while_waiting();
  conn->enter(Connection::State::streaming);
  start_stream(*conn, reply);
  return stream(ticket, reply.body);
}

// TCP_USER_TIMEOUT: the kernel ends the connection if the peer does not acknowledge bytes
// for so long. On a unix socket the call fails, which does no harm.
void Http::watch_presence(Connection& conn) {
  const auto most = static_cast<unsigned>(silence.count());
  (void)setsockopt(conn.fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &most, sizeof most);
  conn.taken_at = steady_now();
}

void Http::start_stream(Connection& conn, const HttpReply& reply) {
  evhttp_request* request = conn.request;
  evkeyvalq* out = evhttp_request_get_output_headers(request);
  evhttp_add_header(out, "Content-Type", std::string(reply.content_type).c_str());
  std::string_view lines = reply.headers.text();
  for (Header header; take_header(lines, header);) {
    evhttp_add_header(out, std::string(header.name).c_str(), std::string(header.value).c_str());
  }
  // Else nginx keeps the pieces until its buffer is full.
  evhttp_add_header(out, "X-Accel-Buffering", "no");
  // HTTP/1.0 has no chunks: the end of the connection ends the stream.
  if (conn.old) {
    evhttp_remove_header(evhttp_request_get_input_headers(request), "Connection");
  }
  if (conn.old || closing_) {
    evhttp_add_header(out, "Connection", "close");
  }
  evhttp_request_set_on_complete_cb(request, on_sent, &conn);
  evhttp_send_reply_start(request, reply.status, status_reason(reply.status));
}

void Http::send_slices(Ticket ticket, const HttpReply& opening, Slices slices) {
  Connection* conn = find(ticket);
  if (!conn) {
    return;
  }
  conn->enter(Connection::State::sending);
  conn->slices = std::move(slices);
  start_stream(*conn, opening);
  const bool bare = evhttp_request_get_command(conn->request) == EVHTTP_REQ_HEAD;
  if (bare) {
    conn->slices = nullptr;
  }
  send_slice(*conn, bare ? std::string_view{} : opening.body);
}

// A slice must not be empty unless it is the last: on_taken() would not be called.
void Http::send_slice(Connection& conn, std::string_view slice) {
  commons_.deadlines.expect_io(conn, steady_now());
  evbuffer_add(body_.get(), slice.data(), slice.size());
  if (conn.slices) {
    return evhttp_send_reply_chunk_with_cb(conn.request, body_.get(), on_taken, &conn);
  }
  evhttp_send_reply_chunk(conn.request, body_.get());
  evhttp_send_reply_end(conn.request);
}

void Http::on_taken(evhttp_connection*, void* connection) noexcept {
  Connection& taken = *static_cast<Connection*>(connection);
  taken.http.next_slice(taken);
}

void Http::next_slice(Connection& conn) {
  std::string slice;
  if (!conn.slices(slice)) {
    conn.slices = nullptr;
  }
  send_slice(conn, slice);
}

bool Http::stream(Ticket ticket, std::string_view bytes) {
  Connection* conn = find_stream(ticket);
  if (!conn) {
    return false;
  }
  bufferevent* bev = evhttp_connection_get_bufferevent(conn->evcon);
  const size_t unsent = evbuffer_get_length(bufferevent_get_output(bev));
  if (unsent == 0 && conn->taken_at) {
    conn->taken_at = steady_now();
  }
  if (unsent > most_unsent || (conn->taken_at && steady_now() - *conn->taken_at > silence)) {
    conn->cut_off();
    return false;
  }
  evbuffer_add(body_.get(), bytes.data(), bytes.size());
  evhttp_send_reply_chunk(conn->request, body_.get());
  return true;
}

void Http::close_stream(Ticket ticket) {
  Connection* conn = find_stream(ticket);
  if (!conn) {
    return;
  }
  conn->enter(Connection::State::sending);
  commons_.deadlines.expect_io(*conn, steady_now());
  evhttp_send_reply_end(conn->request);
}

}  // namespace distributex
