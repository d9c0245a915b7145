// SPDX-License-Identifier: MIT
// Reports whole requests under a ticket, turns a reply into bytes, and reports its
// delivery. server.cpp accepts, parks and closes connections.
#include <event2/bufferevent.h>
#include <event2/http.h>
#include <event2/http_struct.h>

#include <utility>

#include "base/clock.h"
#include "http/framing.h"
#include "http/server.h"
#include "http/target.h"

namespace distributex {

namespace {

bool is_old(const evhttp_request* request) { return request->major < 1 || request->minor < 1; }

// Whether the connection ends with the answer.
bool will_close(const evhttp_request* request, const Framing& framing) {
  if (request->flags & EVHTTP_PROXY_REQUEST) {
    return true;
  }
  return framing.asks_to_close || (is_old(request) && !framing.asks_to_stay);
}

// The cast: for a method that evhttp does not know it returns a value outside its enum.
HttpMethod method_of(const evhttp_request* request) {
  switch (static_cast<unsigned>(evhttp_request_get_command(request))) {
    case EVHTTP_REQ_GET:
      return HttpMethod::get;
    case EVHTTP_REQ_HEAD:
      return HttpMethod::head;
    case EVHTTP_REQ_POST:
      return HttpMethod::post;
    case EVHTTP_REQ_PUT:
      return HttpMethod::put;
    case EVHTTP_REQ_DELETE:
      return HttpMethod::remove;
    case EVHTTP_REQ_OPTIONS:
      return HttpMethod::options;
    case EVHTTP_REQ_TRACE:
    case EVHTTP_REQ_CONNECT:
    case EVHTTP_REQ_PATCH:
      return HttpMethod::other;
  }
  return HttpMethod::other;
}

std::string_view body_of(evhttp_request* request) {
  evbuffer* buffer = evhttp_request_get_input_buffer(request);
  const size_t size = evbuffer_get_length(buffer);
  if (size == 0) {
    return {};
  }
  const unsigned char* bytes = evbuffer_pullup(buffer, -1);
  return {reinterpret_cast<const char*>(bytes), size};
}

}  // namespace

void Http::dispatch(Connection& conn, evhttp_request* request) {
  const evkeyvalq* headers = evhttp_request_get_input_headers(request);
  conn.old = is_old(request);
  const Framing framing = read_framing(*headers, conn.old);
  conn.closes = will_close(request, framing);
  const Target target = split_target(evhttp_request_get_uri(request));
  HttpRequest whole{.method = conn.method.value_or(method_of(request)),
                    .path = target.path,
                    .query = target.query,
                    .body = body_of(request),
                    .body_limit = limits_.max_body_size,
                    .headers = headers,
                    .old = conn.old,
                    .peer = conn.identity()};
  // A HEAD may have a body too (RFC 9112, section 6), but evhttp does not read it. The
  // unread body must not be taken for the next request.
  const bool is_read = whole.method != HttpMethod::head && whole.method != HttpMethod::other;
  conn.unread = framing.announces_body && !is_read;
  if (conn.surplus) {
    whole.trouble = HttpTrouble::surplus;
    whole.complaint = conn.surplus;
  } else if (framing.fault) {
    whole.trouble = HttpTrouble::framing;
    whole.complaint = framing.fault;
  } else if (const char* complaint = conn.complaint()) {
    whole.trouble = HttpTrouble::no_tls;
    whole.complaint = complaint;
  }
  dispatch(conn, whole);
}

// Bytes behind the request go to the input buffer, where evhttp finds them. A connection
// that is to be refused or closed is left to evhttp: that is rare.
bool Http::take_brief(Connection& conn, std::string_view bytes) {
  if (!events_.is_brief || closing_ || conn.surplus || conn.complaint() ||
      !read_brief(bytes, conn.header_limit, brief_)) {
    return false;
  }
  const Target target = split_target(brief_.target);
  if (!events_.is_brief(target.path)) {
    return false;
  }
  if (const std::string_view rest = bytes.substr(brief_.size); !rest.empty()) {
    evbuffer_add(bufferevent_get_input(conn.bev()), rest.data(), rest.size());
  }
  conn.old = conn.closes = conn.unread = false;
  begin(conn);
  HttpRequest whole{.method = HttpMethod::get,
                    .path = target.path,
                    .query = target.query,
                    .body = {},
                    .body_limit = limits_.max_body_size,
                    .fields = brief_.fields(),
                    .peer = conn.identity()};
  dispatch(conn, whole);
  return true;
}

void Http::remember(Ticket ticket, Mark mark) {
  if (Connection* conn = find(ticket)) {
    conn->mark = mark;
  }
}

std::optional<Mark> Http::mark(Ticket ticket) {
  const Connection* conn = find(ticket);
  return conn ? std::optional{conn->mark} : std::nullopt;
}

// A watched reply is not sent to a client that has left: the connection stays parked until
// its end is read in the next pass of the loop, and then events_.gone is called.
void Http::send(Ticket ticket, const HttpReply& reply, Delivery delivery) {
  Connection* conn = find(ticket);
  if (!conn) {
    return;
  }
  const bool watched = delivery == Delivery::watched;
  if (watched && conn->has_left()) {
    return;
  }
  conn->watched = watched;
  write(*conn, reply);
}

// Writes the reply without evhttp, which would copy and print each header and wait for
// epoll before it writes: a third of the cost of a request. evhttp_send_reply_end() tells
// evhttp that the reply has ended; evhttp reads the next request then, or closes the
// connection before the call returns.
void Http::write(Connection& conn, const HttpReply& reply) {
  evhttp_request* request = conn.request;
  conn.closes |= reply.closes || closing_ || conn.surplus || conn.unread;
  if (!request) {
    return write_brief(conn, reply);
  }
  if (conn.closes) {  // evhttp itself reads only the first Connection header
    evhttp_add_header(evhttp_request_get_output_headers(request), "Connection", "close");
  }
  make_head(conn, reply);
  if (evhttp_request_get_command(request) != EVHTTP_REQ_HEAD) {
    head_.add(reply.body);
  }
  conn.enter(Connection::State::sending);
  evhttp_request_set_on_complete_cb(request, on_sent, &conn);
  if (!conn.send_now(head_.view())) {
    commons_.deadlines.expect_io(conn, steady_now());
  }
  request->chunked = 0;  // set by a chunked request: evhttp would write a last chunk
  evhttp_send_reply_end(request);
}

// Of a brief request evhttp does not know: it only closes the connection.
void Http::write_brief(Connection& conn, const HttpReply& reply) {
  make_head(conn, reply);
  head_.add(reply.body);
  conn.enter(Connection::State::sending);
  if (conn.send_now(head_.view())) {
    return sent_brief(conn);
  }
  commons_.deadlines.expect_io(conn, steady_now());
}

void Http::sent_brief(Connection& conn) {
  const bool closes = conn.closes;
  sent(conn);
  if (closes) {
    return evhttp_connection_free(conn.evcon);
  }
  conn.go_on();
}

void Http::make_head(const Connection& conn, const HttpReply& reply) {
  head_.clear();
  head_.add(conn.old ? "HTTP/1.0 " : "HTTP/1.1 ");
  head_.add_number(static_cast<uint64_t>(reply.status));
  head_.add(" ");
  head_.add(status_reason(reply.status));
  head_.add("\r\nContent-Type: ");
  head_.add(reply.content_type);
  head_.add("\r\n");
  head_.add(reply.headers.text());
  head_.add("Date: ");
  head_.add(date());
  head_.add("\r\nContent-Length: ");
  head_.add_number(reply.body.size());
  if (conn.closes) {
    head_.add("\r\nConnection: close");
  } else if (conn.old) {
    head_.add("\r\nConnection: keep-alive");
  }
  head_.add("\r\n\r\n");
}

// The text is made once a second.
const std::string& Http::date() {
  if (const std::time_t now = wall_seconds(); now != date_at_) {
    char text[64];
    tm parts{};
    gmtime_r(&now, &parts);
    date_.assign(text, std::strftime(text, sizeof text, "%a, %d %b %Y %H:%M:%S GMT", &parts));
    date_at_ = now;
  }
  return date_;
}

void Http::on_sent(evhttp_request*, void* conn) noexcept {
  Connection& done = *static_cast<Connection*>(conn);
  done.http.sent(done);
}

void Http::sent(Connection& conn) {
  conn.enter(Connection::State::reading);
  conn.await_request();
  conn.request = nullptr;
  const Time now = steady_now();
  conn.keep_reading();
  if (!conn.has_begun()) {
    commons_.deadlines.expect_request(conn, now);
  } else {
    commons_.deadlines.expect_io(conn, now);
  }
  if (std::exchange(conn.watched, false)) {
    events_.delivered(conn.ticket);
  }
}

}  // namespace distributex
