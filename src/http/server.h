// SPDX-License-Identifier: MIT
// HTTP on evhttp: connections, their limits and deadlines, tickets, parked requests,
// clients that leave, replies. Http reports each request under a ticket; the caller hands
// in the reply with that ticket. Http does not know what a request asks for.
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
  uint32_t max_connections;           // those above it are refused, those far above it closed
  uint32_t max_connections_per_peer;  // the same; 0: no limit
  Duration request_timeout;
  Duration idle_timeout;
  uint32_t max_header_size;  // bytes
  uint32_t max_body_size;    // bytes
  size_t largest_body = 0;   // of any door, in bytes; the larger one of the two counts
};

// Whether the caller wants to know that a reply arrived.
enum class Delivery : uint8_t {
  unwatched,
  watched  // delivered or gone is called; a client that has left is not sent the reply
};

// Whether the caller wants to know that the client of a stream is still there.
enum class Presence : uint8_t {
  unwatched,
  watched  // a client that has left gets no stream; a dead network counts as leaving
};

// The caller answers each ticket once, by send() or open_stream(), unless gone is called
// first.
struct HttpEvents {
  std::function<void(Ticket, const HttpRequest&)> request;
  // The client left before its answer or in the middle of a stream, or a watched reply did
  // not arrive.
  std::function<void(Ticket)> gone;
  // The kernel has taken all of a watched reply.
  std::function<void(Ticket)> delivered;
  // Whether each request for this path is answered by one send(): if such a request is
  // brief (brief.h), it bypasses evhttp. nullptr: evhttp reads all requests.
  std::function<bool(std::string_view path)> is_brief{};
};

class Http {
 public:
  static constexpr size_t plain_transport = 0;

  Http(event_base* base, const HttpLimits& limits, HttpEvents events);
  ~Http();
  Http(const Http&) = delete;
  Http& operator=(const Http&) = delete;

  // Adds a kind of transport beside the plain one; returns its number for listen_on().
  size_t add_transport(TransportMaker make);

  // Returns false when libevent refuses the socket; errno says why.
  [[nodiscard]] bool listen_on(Listener listener, size_t transport = plain_transport);
  void set_limits(const HttpLimits& limits);

  // remember() keeps a mark until the ticket is answered; mark() returns it, or nullopt if
  // the ticket does not wait for an answer any more.
  void remember(Ticket ticket, Mark mark);
  [[nodiscard]] std::optional<Mark> mark(Ticket ticket);

  void send(Ticket ticket, const HttpReply& reply, Delivery delivery = Delivery::unwatched);

  // Sends a long reply. The next slice is made when the client has taken the last one, and
  // not in the same pass of the loop. Each slice has the deadline of a reply.
  void send_slices(Ticket ticket, const HttpReply& opening, Slices slices);

  // An answer that goes on: open_stream() instead of send(), then stream(), at last
  // close_stream(). If the client leaves before, gone is called. open_stream() and stream()
  // return false if the ticket has no (open) stream, or the stream was cut off because its
  // client reads too slowly. The caller must send some bytes of a watched stream every five
  // seconds: a client that takes none for 12 s counts as gone.
  bool open_stream(Ticket ticket, const HttpReply& reply, Presence presence = Presence::unwatched);
  bool stream(Ticket ticket, std::string_view bytes);
  void close_stream(Ticket ticket);

  // The address of the ticket's client: "192.0.2.1:4711", "[2001:db8::1]:4711", or "unix".
  // Known also while gone or delivered runs for the ticket.
  [[nodiscard]] std::string_view peer(Ticket ticket);

  // What is proven about the ticket's client now. The views are valid until the client's
  // next request, and until trust() is configured anew.
  [[nodiscard]] Identity identity(Ticket ticket);
  [[nodiscard]] Trust& trust() { return trust_; }

  // From now on every reply closes its connection.
  void close_after_replies() { closing_ = true; }
  void stop_listening();

  // For Connection. take_brief() handles a brief request without evhttp; it returns false
  // if the bytes do not begin with one. If it returns true the connection may be closed
  // already. sent_brief() is called when the answer to such a request has left.
  bool take_brief(Connection& connection, std::string_view bytes);
  void sent_brief(Connection& connection);

  [[nodiscard]] size_t connections() const { return count_; }
  // The number of requests whose answer has not left completely.
  [[nodiscard]] size_t unanswered() const {
    return in(Connection::State::asking) + in(Connection::State::parked) +
           in(Connection::State::sending);
  }

 private:
  // One evhttp for each kind of transport: the argument of its callback is the only hint by
  // which kind of listener a connection came.
  struct Entrance {
    Http* http;
    TransportMaker make;
    Evhttp evhttp;
  };
  struct Fresh {
    bufferevent* bev;  // a reference is held until adopt()
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
  BriefRequest brief_{};  // the one that take_brief() reads
  ReplyBytes head_;       // the bytes of the reply that is being made
  std::string date_;
  std::time_t date_at_ = 0;
  Evbuffer body_;
  Event fresh_event_;
  std::vector<std::unique_ptr<BoundListener>> bound_;
  std::vector<std::unique_ptr<Entrance>>
      entrances_;  // last: its destructor closes the connections, which need the other members
};

}  // namespace distributex
