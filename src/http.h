// SPDX-License-Identifier: MIT
// The HTTP door on evhttp: connections, their limits and deadlines, tickets,
// parking, hang-ups, replies. Knows neither pool rules nor backends; what comes
// in is reported upward, what goes out is handed in by ticket.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "handle.h"
#include "http_conn.h"
#include "http_listen.h"
#include "listener.h"
#include "pool.h"
#include "reply.h"
#include "route.h"

struct bufferevent;

namespace distributex {

struct HttpLimits {
  uint32_t max_connections;  // beyond it one refusal each, far beyond nothing
  Duration request_timeout;
  Duration idle_timeout;
  uint32_t max_header_size;  // bytes
  uint32_t max_body_size;    // bytes
};

// Each ticket is answered once by answer() or send(), unless gone comes first.
struct HttpEvents {
  std::function<void(Ticket, Request)> request;
  std::function<void(Ticket, Page, std::string query)> page;
  // The client left without an answer, or a lease told to it did not arrive.
  std::function<void(Ticket)> gone;
  // A granted or held lease was taken by the client's side.
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

  void answer(Ticket ticket, const Answer& answer);
  void send(Ticket ticket, Reply reply);

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
  static void on_input(evbuffer* input, const evbuffer_cb_info* change, void* conn) noexcept;
  static void on_parked_bytes(bufferevent* bev, void* evcon) noexcept;

  void adopt(bufferevent* bev);
  void handle(evhttp_request* request);
  void dispatch(Conn& conn, evhttp_request* request);
  void park(Conn& conn);
  void closed(Conn& conn);
  void sent(Conn& conn);
  void write(Conn& conn, const Reply& reply, bool close);
  void refuse(Conn& conn, Fault fault, std::string error, const char* allow = nullptr,
              bool close = false);
  void make_head(const Reply& reply, bool is_head);
  void add_to_head(std::string_view name, std::string_view value);
  [[nodiscard]] const char* date();
  static void flush(bufferevent* bev);
  Conn* find(Ticket ticket);
  void arm_sweep();

  event_base* base_;
  HttpEvents events_;
  uint32_t max_connections_ = 0;
  Deadlines deadlines_;
  std::vector<std::unique_ptr<Conn>> conns_;  // by descriptor
  std::vector<bufferevent*> fresh_;           // referenced until adopted
  size_t count_ = 0;
  size_t sending_ = 0;
  Ticket last_ticket_ = 0;
  bool closing_ = false;
  bool sweep_armed_ = false;
  size_t read_ahead_ = 0;
  std::string head_;  // of the reply being made
  std::string date_;
  std::time_t date_at_ = 0;
  Evbuffer body_;
  Event fresh_event_;
  Event sweep_event_;
  std::vector<std::unique_ptr<BoundListener>> bound_;
  Evhttp evhttp_;  // last: its end closes what the others stand for
};

}  // namespace distributex
