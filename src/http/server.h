// SPDX-License-Identifier: MIT
// HTTP on evhttp: connections, their limits and deadlines, tickets, parking,
// hang-ups, replies. What a request asks for, the doors know: requests are
// reported upward, replies are handed in by ticket.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/handle.h"
#include "http/brief.h"
#include "http/connection.h"
#include "http/listen.h"
#include "http/listener.h"
#include "http/message.h"
#include "http/peers.h"
#include "http/reply_bytes.h"
#include "http/trust.h"
#include "lock/words.h"

struct bufferevent;

namespace distributex {

struct HttpLimits {
  uint32_t max_connections;           // beyond it one refusal each, far beyond nothing
  uint32_t max_connections_per_peer;  // the same; 0: no limit
  Duration request_timeout;
  Duration idle_timeout;
  uint32_t max_header_size;  // bytes
  uint32_t max_body_size;    // bytes
  size_t largest_body = 0;   // of any request; where it is more than the former
};

// Whether somebody wants to know that a reply arrived.
enum class Delivery : uint8_t {
  unwatched,
  watched  // delivered or gone follows, and who has left is not sent anything
};

// Whether it matters that the client of a stream is there.
enum class Presence : uint8_t {
  unwatched,
  watched  // who has left gets no stream; later an end of its network is noticed, too
};

// Each ticket is answered once by send() or open_stream(), unless gone comes
// first.
struct HttpEvents {
  std::function<void(Ticket, const HttpRequest&)> request;
  // The client left without an answer or in the middle of a stream, or a watched
  // reply did not arrive.
  std::function<void(Ticket)> gone;
  // A watched reply was taken by the client's side.
  std::function<void(Ticket)> delivered;
  // Whether each request for this path is answered by one send(): such a request needs
  // no evhttp when it is brief (brief.h). nullptr: evhttp reads all requests.
  std::function<bool(std::string_view path)> is_brief{};
};

class Http {
 public:
  static constexpr size_t plain_transport = 0;

  Http(event_base* base, const HttpLimits& limits, HttpEvents events);
  ~Http();
  Http(const Http&) = delete;
  Http& operator=(const Http&) = delete;

  // Another kind of transport beside the plain one, for listen_on().
  size_t add_transport(TransportMaker make);

  // False when the event loop refuses the socket; errno says why.
  [[nodiscard]] bool listen_on(Listener listener, size_t transport = plain_transport);
  void set_limits(const HttpLimits& limits);

  // What comes back with mark() when the ticket's answer is written; nullopt when
  // nobody waits for it any more.
  void remember(Ticket ticket, Mark mark);
  [[nodiscard]] std::optional<Mark> mark(Ticket ticket);

  void send(Ticket ticket, const HttpReply& reply, Delivery delivery = Delivery::unwatched);

  // A long reply, whose next slice is made when the client has taken the last one,
  // and not in the same pass of the loop. Each has the time of a reply.
  void send_slices(Ticket ticket, const HttpReply& opening, Slices slices);

  // An answer that goes on: open_stream() in the place of send(), then stream()
  // and at last close_stream(). The client may leave before: gone. False when
  // there is no such stream (any more), or it was cut off as too slow a reader. Of one
  // that is watched some bytes have to be sent every five seconds: its client is gone
  // when it has not taken any for 12 s.
  bool open_stream(Ticket ticket, const HttpReply& reply, Presence presence = Presence::unwatched);
  bool stream(Ticket ticket, std::string_view bytes);
  void close_stream(Ticket ticket);

  // Where the ticket's client is: "192.0.2.1:4711", "[2001:db8::1]:4711", or
  // "unix"; also while gone or delivered are being told.
  [[nodiscard]] std::string_view peer(Ticket ticket);

  // What is proven about the ticket's client, as of now; its views last until the
  // client's next request and until trust() is configured anew.
  [[nodiscard]] Identity identity(Ticket ticket);
  [[nodiscard]] Trust& trust() { return trust_; }

  // From now on every reply closes its connection.
  void close_after_replies() { closing_ = true; }
  void stop_listening();

  // The way of a brief request past evhttp, for its connection: false when the bytes do
  // not begin with one; else the connection may be closed already. And when the
  // answer has left.
  bool take_brief(Connection& connection, std::string_view bytes);
  void sent_brief(Connection& connection);

  [[nodiscard]] size_t connections() const { return count_; }
  // Requests that have no answer yet, or not all of it.
  [[nodiscard]] size_t unanswered() const {
    return in(Connection::State::asking) + in(Connection::State::parked) +
           in(Connection::State::sending);
  }

 private:
  // One evhttp for each kind of transport: its callback alone tells by which
  // listener a connection came.
  struct Entrance {
    Http* http;
    TransportMaker make;
    Evhttp evhttp;
  };
  struct Fresh {
    bufferevent* bev;  // referenced until adopted
    const Entrance* by;
  };

  static bufferevent* on_connection(event_base* base, void* entrance) noexcept;
  static void on_fresh(int, short, void* self) noexcept;
  static void on_request(evhttp_request* request, void* self) noexcept;
  static void on_close(evhttp_connection* evcon, void* connection) noexcept;
  static void on_taken(evhttp_connection*, void* connection) noexcept;
  static void on_sent(evhttp_request* request, void* connection) noexcept;

  [[nodiscard]] size_t in(Connection::State state) const {
    return commons_.in_state[static_cast<size_t>(state)];
  }
  void adopt(const Fresh& fresh);
  void count(Connection& connection);
  void handle(evhttp_request* request);
  void begin(Connection& connection);
  void dispatch(Connection& connection, evhttp_request* request);
  void dispatch(Connection& connection, HttpRequest& request);
  void judge(Connection& connection, HttpRequest& request, std::string& complaint);
  static void park(Connection& connection);
  static void keep_little(evhttp_request* request);
  void closed(Connection& connection);
  void sent(Connection& connection);
  void write(Connection& connection, const HttpReply& reply);
  void write_brief(Connection& connection, const HttpReply& reply);
  void make_head(const Connection& connection, const HttpReply& reply);
  [[nodiscard]] const std::string& date();
  static void watch_presence(Connection& connection);
  void start_stream(Connection& connection, const HttpReply& reply);
  void send_slice(Connection& connection, std::string_view slice);
  void next_slice(Connection& connection);
  Connection* at_slot(Ticket ticket);
  Connection* find(Ticket ticket);
  Connection* find_stream(Ticket ticket);

  HttpEvents events_;
  HttpLimits limits_{};
  Peers peers_;
  Trust trust_;
  Commons commons_;
  std::vector<std::unique_ptr<Connection>> connections_;  // by descriptor
  std::vector<Fresh> fresh_;
  size_t count_ = 0;
  Ticket last_ticket_ = 0;
  bool closing_ = false;
  BriefRequest brief_{};  // being handed over
  ReplyBytes head_;       // of the reply being made
  std::string date_;
  std::time_t date_at_ = 0;
  Evbuffer body_;
  Event fresh_event_;
  std::vector<std::unique_ptr<BoundListener>> bound_;
  std::vector<std::unique_ptr<Entrance>>
      entrances_;  // last: their end closes what the others stand for
};

}  // namespace distributex
