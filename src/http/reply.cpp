// SPDX-License-Identifier: MIT
// From a whole request to a ticket, and from an answer to its bytes; then whether
// it was delivered. The rest of the door is in http.cpp.
#include <event2/bufferevent.h>
#include <event2/http.h>
#include <event2/http_struct.h>
#include <event2/keyvalq_struct.h>
#include <strings.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <utility>

#include "base/clock.h"
#include "base/log.h"
#include "doors/plain/request.h"
#include "http/server.h"

namespace distributex {

namespace {

struct Headers {
  std::string_view accept;
  std::string_view content_type;
  std::string_view connection;
  int content_lengths = 0;
};

Headers read_headers(evhttp_request* request) {
  Headers found;
  const evkeyvalq* headers = evhttp_request_get_input_headers(request);
  for (const evkeyval* h = headers->tqh_first; h; h = h->next.tqe_next) {
    if (strcasecmp(h->key, "Accept") == 0) found.accept = h->value;
    if (strcasecmp(h->key, "Content-Type") == 0) found.content_type = h->value;
    if (strcasecmp(h->key, "Connection") == 0 && found.connection.empty())
      found.connection = h->value;
    if (strcasecmp(h->key, "Content-Length") == 0) ++found.content_lengths;
  }
  return found;
}

bool is_old(const evhttp_request* request) { return request->major < 1 || request->minor < 1; }

// Whether evhttp will close the connection after the answer.
bool will_close(const evhttp_request* request, std::string_view connection) {
  const auto is = [&](std::string_view word) {
    return connection.size() >= word.size() &&
           strncasecmp(connection.data(), word.data(), word.size()) == 0;
  };
  constexpr std::string_view close = "close";
  if (request->flags & EVHTTP_PROXY_REQUEST) return true;
  if (is_old(request) && !is("keep-alive")) return true;
  return connection.size() == close.size() && is(close);
}

bool is_form(std::string_view content_type) {
  constexpr std::string_view form = "application/x-www-form-urlencoded";
  const std::string_view type = content_type.substr(0, content_type.find(';'));
  const std::string_view bare = type.substr(0, type.find_last_not_of(" \t") + 1);
  return bare.empty() ||
         (bare.size() == form.size() && strncasecmp(bare.data(), form.data(), form.size()) == 0);
}

std::string_view body_of(evhttp_request* request) {
  evbuffer* buffer = evhttp_request_get_input_buffer(request);
  const size_t size = evbuffer_get_length(buffer);
  if (size == 0) return {};
  const unsigned char* bytes = evbuffer_pullup(buffer, -1);
  return {reinterpret_cast<const char*>(bytes), size};
}

// Whether the other side has closed. To be asked before the answer leaves:
// afterwards it may have closed because it has all that it wanted.
bool has_left(int fd) {
  char byte;
  const ssize_t n = recv(fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT);
  return n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR);
}

}  // namespace

void Http::dispatch(Conn& conn, evhttp_request* request) {
  const Headers headers = read_headers(request);
  conn.json = accepts_json(headers.accept);
  conn.old = is_old(request);
  conn.closes = will_close(request, headers.connection);
  if (conn.surplus) {
    Answer busy;
    busy.error = conn.surplus;
    return answer(conn.ticket, busy);
  }
  if (headers.content_lengths > 1)
    return refuse(conn, Fault::bad_request, "there is more than one Content-Length", nullptr,
                  nullptr, true);

  const Target target = split_target(evhttp_request_get_uri(request));
  const std::optional<Route> route = find_route(target.path);
  if (!route)
    return refuse(conn, Fault::no_such_path,
                  "there is no path \"/" + std::string(target.path) + "\" on this server");
  const auto method = evhttp_request_get_command(request);
  const int known = std::holds_alternative<Verb>(*route)
                        ? EVHTTP_REQ_GET | EVHTTP_REQ_POST
                        : EVHTTP_REQ_GET | EVHTTP_REQ_HEAD | EVHTTP_REQ_OPTIONS;
  if ((method & known) == 0)
    return refuse(conn, Fault::bad_method, "this path knows other methods only, see Allow", nullptr,
                  allowed_methods(*route), true);
  if (const Page* page = std::get_if<Page>(&*route))
    return show(conn, request, *page, target.query, headers.accept);

  const Verb verb = std::get<Verb>(*route);
  const std::string_view form = method == EVHTTP_REQ_POST ? body_of(request) : std::string_view{};
  if (!form.empty() && !is_form(headers.content_type))
    return refuse(conn, Fault::bad_request,
                  "a body must be a form: application/x-www-form-urlencoded", &verb);
  auto parsed = parse_request(verb, target.query, form);
  if (const auto* refusal = std::get_if<Refusal>(&parsed))
    return refuse(conn, refusal->fault, refusal->error, &verb);
  events_.request(conn.ticket, std::get<Command>(std::move(parsed)));
}

void Http::show(Conn& conn, evhttp_request* request, Page page, std::string_view query,
                std::string_view accept) {
  const auto method = evhttp_request_get_command(request);
  const char* last_id =
      evhttp_find_header(evhttp_request_get_input_headers(request), "Last-Event-ID");
  events_.page(conn.ticket, {.page = page,
                             .method = method == EVHTTP_REQ_HEAD      ? PageMethod::head
                                       : method == EVHTTP_REQ_OPTIONS ? PageMethod::options
                                                                      : PageMethod::get,
                             .query = std::string{query},
                             .last_event_id = last_id ? last_id : "",
                             .html = accepts(accept, "text/html"),
                             .event_stream = accepts(accept, "text/event-stream")});
}

// Closes the connection where a body may follow that evhttp did not read and
// would take for the next request.
void Http::refuse(Conn& conn, Fault fault, std::string error, const Verb* verb, const char* allow,
                  bool close) {
  Answer invalid;
  invalid.result = Result::invalid;
  invalid.fault = fault;
  invalid.error = std::move(error);
  events_.refused(conn.ticket, verb ? std::optional{*verb} : std::nullopt, invalid);
  Reply reply = format_answer(invalid, conn.json);
  if (allow) reply.headers.push_back({"Allow", allow});
  write(conn, reply, close);
}

// A lease is not told to a client that has left: the connection stays parked
// until its end is read, a moment later, and is reported like any other.
void Http::answer(Ticket ticket, const Answer& answer) {
  Conn* conn = find(ticket);
  if (!conn) return;
  const bool is_lease = answer.result == Result::granted || answer.result == Result::held;
  if (is_lease && has_left(conn->fd)) return;
  conn->lease_told = is_lease;
  write(*conn, format_answer(answer, conn->json), false);
}

void Http::send(Ticket ticket, Reply reply) {
  Conn* conn = find(ticket);
  if (!conn) return;
  if (evhttp_request_get_command(conn->request) == EVHTTP_REQ_OPTIONS)
    reply.headers.push_back({"Allow", allowed_methods(Page::root)});
  write(*conn, reply, false);
}

// Past evhttp, which would copy and print each header by itself and ask epoll
// for leave to write: a third of the cost of a request. It is told that the
// reply has ended, and goes on to the next request; it may close the connection
// before that returns.
void Http::write(Conn& conn, const Reply& reply, bool close) {
  evhttp_request* request = conn.request;
  if (close || closing_ || conn.surplus) {
    conn.closes = true;
    evhttp_add_header(evhttp_request_get_output_headers(request), "Connection", "close");
  }
  make_head(conn, reply);
  if (evhttp_request_get_command(request) != EVHTTP_REQ_HEAD) head_.append(reply.body);
  conn.state = ConnState::sending;
  ++sending_;
  evhttp_request_set_on_complete_cb(request, on_sent, &conn);
  if (!send_now(conn, head_)) {
    deadlines_.expect_io(conn, steady_now());
    arm_sweep();
  }
  request->chunked = 0;  // it was the request's: evhttp would end our answer like one
  evhttp_send_reply_end(request);
}

void Http::make_head(const Conn& conn, const Reply& reply) {
  head_ = conn.old ? "HTTP/1.0 " : "HTTP/1.1 ";
  head_.append(std::to_string(reply.status)).append(" ").append(reply.reason);
  add_to_head("Content-Type", reply.content_type);
  for (const Header& header : reply.headers) add_to_head(header.name, header.value);
  head_.append("\r\nDate: ").append(date());
  head_.append("\r\nContent-Length: ").append(std::to_string(reply.body.size()));
  if (conn.closes)
    head_.append("\r\nConnection: close");
  else if (conn.old)
    head_.append("\r\nConnection: keep-alive");
  head_.append("\r\n\r\n");
}

void Http::add_to_head(std::string_view name, std::string_view value) {
  const auto ends_line = [](char c) { return c == '\r' || c == '\n' || c == '\0'; };
  if (std::any_of(value.begin(), value.end(), ends_line)) {
    log_line(Level::error, "reply header refused name=%.*s", static_cast<int>(name.size()),
             name.data());
    return;
  }
  head_.append("\r\n").append(name).append(": ").append(value);
}

// Made once a second.
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
  Conn& done = *static_cast<Conn*>(conn);
  done.http->sent(done);
}

void Http::sent(Conn& conn) {
  --sending_;
  conn.state = ConnState::reading;
  conn.request = nullptr;
  const Time now = steady_now();
  const evbuffer* input = bufferevent_get_input(evhttp_connection_get_bufferevent(conn.evcon));
  event_add(conn.readable.get(), nullptr);  // it may have sent too much ahead
  if (evbuffer_get_length(input) == 0)
    deadlines_.expect_request(conn, now);
  else
    deadlines_.expect_io(conn, now);
  if (std::exchange(conn.lease_told, false)) events_.delivered(conn.ticket);
}

}  // namespace distributex
