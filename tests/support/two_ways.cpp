// SPDX-License-Identifier: MIT
#include "support/two_ways.h"

#include <event2/event.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <utility>
#include <variant>

#include "base/handle.h"
#include "doors/table.h"
#include "http/listener.h"
#include "http/server.h"
#include "lock/names.h"

namespace distributex::test {

namespace {

constexpr int quiet_passes = 3;      // of the loop, without a byte: nothing will come
constexpr int most_passes = 100000;  // a connection that does not end by then never does

[[noreturn]] void give_up(const char* what) {
  std::perror(what);
  std::abort();
}

std::string text_of(const HttpRequest& request) {
  std::string text;
  const auto add = [&](std::string_view name, std::string_view value) {
    text.append(name).append("=<").append(value).append(">\n");
  };
  add("method", std::to_string(static_cast<int>(request.method)));
  add("path", request.path);
  add("query", request.query);
  add("body", request.body);
  add("old", request.old ? "yes" : "no");
  add("limit", std::to_string(request.body_limit));
  add("trouble", request.complaint);
  add("proof", request.proof_complaint);
  add("address", std::to_string(request.peer.address.size()));
  for (const char* name : {"Host", "Accept", "User-Agent", "Origin", "Sec-Fetch-Site", "X-Any",
                           "Content-Type", "Cookie", "accept", "Accept-Encoding"}) {
    add(name, request.header(name));
  }
  return text;
}

std::string text_of(const Command& command) {
  std::string text(verb_name(command.verb));
  text.append(" ").append(command.pool).append(" ").append(command.owner.host);
  text.append("/").append(command.owner.id);
  return text.append(" ").append(std::to_string(command.token.value_or(0)));
}

// Dates differ by chance.
std::string without_dates(std::string text) {
  constexpr std::string_view date = "\r\nDate: ";
  for (size_t at = 0; (at = text.find(date, at)) != text.npos;) {
    text.erase(at, text.find('\r', at + 2) - at);
  }
  return text;
}

}  // namespace

// One server. Commands to wait are answered a pass of the loop later, those to get are
// watched, a query that ends with "close" ends the connection.
struct TwoWays::Way {
  explicit Way(bool brief) {
    HttpEvents events{
        .request = [this](Ticket ticket, const HttpRequest& request) { answer(ticket, request); },
        .gone = [this](Ticket) { reported += "gone\n"; },
        .delivered = [this](Ticket) { reported += "delivered\n"; }};
    if (brief) {
      events.is_brief = [this](std::string_view path) {
        const bool is_it = is_brief(all_doors(), path);
        briefs += is_it ? 1 : 0;
        return is_it;
      };
    }
    http = std::make_unique<Http>(base.get(),
                                  HttpLimits{.max_connections = 100,
                                             .max_connections_per_peer = 0,
                                             .request_timeout = std::chrono::hours{1},
                                             .idle_timeout = std::chrono::hours{1},
                                             .max_header_size = 2048,
                                             .max_body_size = 1024},
                                  std::move(events));
    auto opened = open_listeners("127.0.0.1:0");
    auto* listeners = std::get_if<std::vector<Listener>>(&opened);
    if (!listeners) {
      give_up("listen");
    }
    const std::string& name = listeners->front().address;
    port = static_cast<uint16_t>(std::atoi(name.c_str() + name.rfind(':') + 1));
    if (!http->listen_on(std::move(listeners->front()))) {
      give_up("evhttp");
    }
  }

  void answer(Ticket ticket, const HttpRequest& request) {
    HttpReply reply;
    reply.body = text_of(request);
    reply.closes = request.query.ends_with("close");
    reply.headers.add("X-Path", std::string(request.path));
    Received received = receive(all_doors(), request);
    http->remember(ticket, received.mark);
    reply.body += "door " + std::to_string(received.mark.door) + " form " +
                  std::to_string(received.mark.form) + "\n";
    Delivery delivery = Delivery::unwatched;
    if (auto* refused = std::get_if<Refused>(&received.reading)) {
      reply = std::move(refused->reply);
    } else if (auto* bare = std::get_if<HttpReply>(&received.reading)) {
      reply = std::move(*bare);
    } else if (const auto* command = std::get_if<Command>(&received.reading)) {
      reply.body += text_of(*command);
      if (command->verb == Verb::wait) {
        parked.emplace_back(ticket, std::move(reply));
        return;
      }
      delivery = command->verb == Verb::get ? Delivery::watched : Delivery::unwatched;
    }
    reported += "request " + std::string(request.path) + "\n";
    http->send(ticket, reply, delivery);
  }

  // Turns the loop once, then answers those that were parked before it turned.
  void pass() {
    const auto due = std::exchange(parked, {});
    event_base_loop(base.get(), EVLOOP_NONBLOCK);
    for (const auto& [ticket, reply] : due) {
      reported += "answer\n";
      http->send(ticket, reply, Delivery::watched);
    }
  }

  // Reads what there is; false at the end of the connection.
  bool take(int fd, std::string& got) {
    char bytes[16384];
    for (;;) {
      const ssize_t n = recv(fd, bytes, sizeof bytes, MSG_DONTWAIT);
      if (n <= 0) {
        return n < 0 && errno == EAGAIN;
      }
      got.append(bytes, static_cast<size_t>(n));
    }
  }

  // The loop turns until nothing comes any more.
  bool settle(int fd, std::string& got) {
    for (int quiet = 0; quiet < quiet_passes || !parked.empty(); ++quiet) {
      const size_t before = got.size();
      pass();
      if (!take(fd, got)) {
        return false;
      }
      quiet = got.size() > before ? 0 : quiet;
    }
    return true;
  }

  std::string talk(std::span<const std::string> pieces, bool leaves) {
    const Fd fd{socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)};
    sockaddr_in to{};
    to.sin_family = AF_INET;
    to.sin_port = htons(port);
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (connect(fd.get(), reinterpret_cast<const sockaddr*>(&to), sizeof to) != 0) {
      give_up("connect");
    }
    reported.clear();
    std::string got;
    bool open = settle(fd.get(), got);
    for (size_t i = 0; open && i < pieces.size(); ++i) {
      (void)!::send(fd.get(), pieces[i].data(), pieces[i].size(), MSG_NOSIGNAL | MSG_DONTWAIT);
      open = (leaves && i + 1 == pieces.size()) || settle(fd.get(), got);
    }
    shutdown(fd.get(), leaves ? SHUT_RDWR : SHUT_WR);
    for (int passes = 0; http->connections() > 0 || !parked.empty(); ++passes) {
      pass();
      (void)take(fd.get(), got);
      if (passes == most_passes) {
        return "a connection does not end: " + got;
      }
    }
    (void)take(fd.get(), got);
    return without_dates(std::move(got)) + "--\n" + reported;
  }

  EventBase base{event_base_new()};
  std::string reported{};
  size_t briefs = 0;
  std::vector<std::pair<Ticket, HttpReply>> parked{};
  uint16_t port = 0;
  std::unique_ptr<Http> http{};
};

TwoWays::TwoWays()
    : by_evhttp_(std::make_unique<Way>(false)), past_evhttp_(std::make_unique<Way>(true)) {
  std::signal(SIGPIPE, SIG_IGN);
}

TwoWays::~TwoWays() = default;

TwoWays::Seen TwoWays::send(std::span<const std::string> pieces, bool leaves) {
  past_evhttp_->briefs = 0;
  std::string by_evhttp = by_evhttp_->talk(pieces, leaves);
  std::string past_evhttp = past_evhttp_->talk(pieces, leaves);
  return {std::move(by_evhttp), std::move(past_evhttp), past_evhttp_->briefs};
}

// Each beginning with each header beneath it, and each header beside a sound one.
std::vector<std::string> raw_requests() {
  constexpr std::string_view lines[] = {"GET /get?pool=p&host=h HTTP/1.1",
                                        "GET /get/?pool=p&host=h HTTP/1.1",
                                        "GET /wait?pool=p&host=h HTTP/1.1",
                                        "GET /release/?pool=p&host=h&token=7 HTTP/1.1",
                                        "GET /renew?pool=p&host=h HTTP/1.0",
                                        "GET /get?pool=p&host=h&close HTTP/1.1",
                                        "GET /wait?pool=p&host=h&close HTTP/1.1",
                                        "GET /release HTTP/1.1",
                                        "GET /get?pool=%2 HTTP/1.1",
                                        "GET /get?pool=a b HTTP/1.1",
                                        "GET //get?pool=p&host=h HTTP/1.1",
                                        "GET /get#x HTTP/1.1",
                                        "GET /get?pool=p#x HTTP/1.1",
                                        "GET http://a/get?pool=p&host=h HTTP/1.1",
                                        "GET /livez HTTP/1.1",
                                        "GET / HTTP/1.1",
                                        "GET /nowhere?x HTTP/1.1",
                                        "HEAD /get?pool=p&host=h HTTP/1.1",
                                        "POST /get?pool=p&host=h HTTP/1.1",
                                        "get /get HTTP/1.1",
                                        "GET  /get HTTP/1.1",
                                        "GET /get  HTTP/1.1",
                                        "GET /get HTTP/1.2",
                                        "GET /get HTTP/1.1 ",
                                        "GET /get",
                                        "GET /g%65t?pool=p&host=h HTTP/1.1",
                                        "LOCK /get HTTP/1.1",
                                        "GET /get?\"<>\\^`{|}=x HTTP/1.1",
                                        "GET /get?pool=\xc3\xa4 HTTP/1.1",
                                        "GET /get:x?pool=p HTTP/1.1",
                                        "GET /freeze?pool=p HTTP/1.1",
                                        "GET ?get HTTP/1.1",
                                        "GET /get?a=[1]&pool=p HTTP/1.1",
                                        "\r\nGET /get?pool=p&host=h HTTP/1.1"};
  constexpr std::string_view headers[] = {
      "",
      "Host: a\r\n",
      "Host: a\r\nAccept: application/json\r\n",
      "Host: a\nAccept: */*\n",
      "Host:a\r\nAccept:application/json\r\n",
      "Host:    a\r\nX-Any: b   c\r\n",
      "Host: a\t\r\nX-Any: b \t\r\n",
      "Host:\ta\r\n",
      "Host: a \r\nX-Any: b  \r\n",
      "Host: a\r\nX-Any: b \r\n",
      "Host: a\r\nHost: a\r\n",
      "Host: a/b\r\n",
      "Host:\r\n",
      "Host : a\r\n",
      " Host: a\r\n",
      "Host: a\r\n b\r\n",
      "Host: a\r\nX-Any:\r\n",
      "Host: a\r\nX-Any: b\r\nX-Any: c\r\n",
      "Host: a\r\n: b\r\n",
      "Host: a\r\nX-Any\r\n",
      "Host: a\r\nX(Any: b\r\n",
      "Host: a\r\nX-Any: \xff\r\n",
      "Host: a\r\nX-Any: \x01\r\n",
      "Host: a\r\nX-Any: b\rc\r\n",
      "Host: a\r\nConnection: close\r\n",
      "Host: a\r\nConnection: keep-alive\r\n",
      "Host: a\r\nUpgrade: h2c\r\n",
      "Host: a\r\nExpect: 100-continue\r\n",
      "Host: a\r\nTE: trailers\r\n",
      "Host: a\r\nContent-Length: 0\r\n",
      "Host: a\r\nContent-Length: 3\r\n",
      "Host: a\r\nTransfer-Encoding: chunked\r\n",
      "Host: a\r\nAuthorization: Bearer x\r\n",
      "Host: a\r\nOrigin: http://b\r\n",
      "Host: a\r\nSec-Fetch-Site: cross-site\r\n",
      "hOST: [::1]:80\r\nuser-agent: curl/8\r\naccept: */*\r\ncookie: a=b\r\n"};
  std::vector<std::string> all;
  for (const std::string_view line : lines) {
    for (const std::string_view header : headers) {
      all.push_back(std::string(line) + "\r\n" + std::string(header) + "\r\n");
    }
  }
  const std::string sound = "GET /get?pool=p&host=h HTTP/1.1\r\nHost: a\r\n";
  for (const size_t fields : {14U, 15U, 16U, 17U}) {
    std::string request = sound;
    for (size_t i = 0; i < fields; ++i) {
      request += "X-Any: b\r\n";
    }
    all.push_back(request + "\r\n");
  }
  for (const size_t size : {1900U, 1990U, 2000U, 2010U, 2040U, 2048U, 2100U, 5000U}) {
    all.push_back(sound + "X-Any: " + std::string(size, 'x') + "\r\n\r\n");
    all.push_back("GET /get?pool=p&host=" + std::string(size, 'x') +
                  " HTTP/1.1\r\nHost: a\r\n\r\n");
  }
  return all;
}

}  // namespace distributex::test
