// SPDX-License-Identifier: MIT
// Replies that go on and on: opened with what there is, continued in pieces,
// ended by the server or by the client's leaving. No deadline stands over them;
// what a client does not take is kept up to a bound, then it is cut off.
#include <event2/bufferevent.h>
#include <event2/http.h>

#include "base/clock.h"
#include "http/server.h"

namespace distributex {

namespace {

constexpr size_t most_unsent = 256 * 1024;

}  // namespace

Connection* Http::find_stream(Ticket ticket) {
  Connection* conn = at_slot(ticket);
  return conn && conn->state() == Connection::State::streaming ? conn : nullptr;
}

bool Http::open_stream(Ticket ticket, const HttpReply& reply) {
  Connection* conn = find(ticket);
  if (!conn) return false;
  evhttp_request* request = conn->request;
  evkeyvalq* out = evhttp_request_get_output_headers(request);
  evhttp_add_header(out, "Content-Type", reply.content_type);
  for (const Header& header : reply.headers)
    evhttp_add_header(out, header.name, header.value.c_str());
  // HTTP/1.0 has no chunks: there the end of the connection ends the stream.
  if (conn->old) {
    evhttp_remove_header(evhttp_request_get_input_headers(request), "Connection");
    evhttp_add_header(out, "Connection", "close");
  }
  conn->enter(Connection::State::streaming);
  evhttp_request_set_on_complete_cb(request, on_sent, conn);
  evhttp_send_reply_start(request, reply.status, status_reason(reply.status));
  return stream(ticket, reply.body);
}

bool Http::stream(Ticket ticket, std::string_view bytes) {
  Connection* conn = find_stream(ticket);
  if (!conn) return false;
  bufferevent* bev = evhttp_connection_get_bufferevent(conn->evcon);
  if (evbuffer_get_length(bufferevent_get_output(bev)) > most_unsent) {
    conn->cut_off();
    return false;
  }
  evbuffer_add(body_.get(), bytes.data(), bytes.size());
  evhttp_send_reply_chunk(conn->request, body_.get());
  return true;
}

void Http::close_stream(Ticket ticket) {
  Connection* conn = find_stream(ticket);
  if (!conn) return;
  conn->enter(Connection::State::sending);
  commons_.deadlines.expect_io(*conn, steady_now());
  evhttp_send_reply_end(conn->request);
}

}  // namespace distributex
