// SPDX-License-Identifier: MIT
// HTTP on evhttp: connections, their limits and deadlines, tickets, parking,
// hang-ups, replies. What a request asks for, the doors know: requests are
// reported upward, replies are handed in by ticket.
#pragma once

#include <array>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/handle.h"
#include "http/conn.h"
#include "http/listen.h"
#include "http/listener.h"
#include "http/message.h"
#include "http/peers.h"
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
};

// Whether somebody wants to know that a reply arrived.
enum class Delivery : uint8_t {
  unwatched,
  watched  // delivered or gone follows, and who has left is not sent anything
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
};

class Http {
 public:
  Http(event_base* base, const HttpLimits& limits, HttpEvents events);
  ~Http();
  Http(const Http&) = delete;
  Http& operator=(const Http&) = delete;

  // False when the event loop refuses the socket; errno says why.
  [[nodiscard]] bool listen_on(Listener listener);
  void set_limits(const HttpLimits& limits);

  // What comes back with mark() when the ticket's answer is written; nullopt when
  // nobody waits for it any more.
  void remember(Ticket ticket, Mark mark);
  [[nodiscard]] std::optional<Mark> mark(Ticket ticket);

  void send(Ticket ticket, const HttpReply& reply, Delivery delivery = Delivery::unwatched);

  // An answer that goes on: open_stream() in the place of send(), then stream()
  // and at last close_stream(). The client may leave before: gone. False when
  // there is no such stream (any more), or it was cut off as too slow a reader.
  bool open_stream(Ticket ticket, const HttpReply& reply);
  bool stream(Ticket ticket, std::string_view bytes);
  void close_stream(Ticket ticket);

  // Where the ticket's client is: "192.0.2.1:4711", "[2001:db8::1]:4711", or
  // "unix"; also while gone or delivered are being told.
  [[nodiscard]] std::string_view peer(Ticket ticket);

  // From now on every reply closes its connection.
  void close_after_replies() { closing_ = true; }
  void stop_listening();

  [[nodiscard]] size_t connections() const { return count_; }
  [[nodiscard]] size_t sending() const { return sending_; }

 private:
  static bufferevent* on_connection(event_base* base, void* self) noexcept;
  static void on_fresh(int, short, void* self) noexcept;
  static void on_sweep(int, short, void* self) noexcept;
  static void on_request(evhttp_request* request, void* self) noexcept;
  static void on_close(evhttp_connection* evcon, void* conn) noexcept;
  static void on_sent(evhttp_request* request, void* conn) noexcept;
  static void on_readable(int, short, void* conn) noexcept;
  static void on_writable(int, short, void* conn) noexcept;
  static void on_output(evbuffer* output, const evbuffer_cb_info* change, void* conn) noexcept;

  void adopt(bufferevent* bev);
  void count(Conn& conn);
  void take_socket(Conn& conn, bufferevent* bev);
  static void leave_socket(Conn& conn);
  void read_some(Conn& conn);
  static void read_while_parked(Conn& conn);
  static void write_some(Conn& conn);
  static bool send_now(Conn& conn, std::string_view bytes);
  void handle(evhttp_request* request);
  void dispatch(Conn& conn, evhttp_request* request);
  static void park(Conn& conn);
  void closed(Conn& conn);
  void sent(Conn& conn);
  void write(Conn& conn, const HttpReply& reply);
  void make_head(const Conn& conn, const HttpReply& reply);
  void add_to_head(std::string_view name, std::string_view value);
  [[nodiscard]] const std::string& date();
  Conn* at_slot(Ticket ticket);
  Conn* find(Ticket ticket);
  Conn* find_stream(Ticket ticket);
  void arm_sweep();
  void sweep();
  static void cut_off(const Conn& conn);

  event_base* base_;
  HttpEvents events_;
  uint32_t max_connections_ = 0;
  uint32_t max_per_peer_ = 0;
  Peers peers_;
  Deadlines deadlines_;
  std::vector<std::unique_ptr<Conn>> conns_;  // by descriptor
  std::vector<bufferevent*> fresh_;           // referenced until adopted
  size_t count_ = 0;
  size_t sending_ = 0;
  Ticket last_ticket_ = 0;
  bool closing_ = false;
  Time sweep_armed_at_{};
  size_t read_ahead_ = 0;
  std::array<char, 16384> bytes_{};  // being read
  std::string head_;                 // of the reply being made
  std::string date_;
  std::time_t date_at_ = 0;
  Evbuffer body_;
  Event fresh_event_;
  Event sweep_event_;
  std::vector<std::unique_ptr<BoundListener>> bound_;
  Evhttp evhttp_;  // last: its end closes what the others stand for
};

}  // namespace distributex
