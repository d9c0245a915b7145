// SPDX-License-Identifier: MIT
// One HTTP connection: where it stands between requests and replies, and its
// bytes. It reads from a transport into evhttp's input and writes evhttp's output
// and whole replies to the transport; evhttp has no socket of its own.
#pragma once

#include <array>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "base/handle.h"
#include "http/deadlines.h"
#include "http/message.h"
#include "http/mixup.h"
#include "http/peers.h"
#include "http/secrets.h"
#include "http/transport.h"
#include "lock/words.h"

struct bufferevent;
struct evhttp_connection;
struct evhttp_request;

namespace distributex {

class Http;

// What all connections of a server share.
struct Commons {
  event_base* base;
  Deadlines deadlines;
  std::array<size_t, 6> in_state{};  // connections, by Connection::State
  MixUp tls_on_plain{};
  size_t read_ahead = 0;            // bytes of input kept a connection
  std::array<char, 16384> bytes{};  // being read
};

class Connection {
 public:
  enum class State {
    reading,    // no request, or an unfinished one
    asking,     // a whole request, being looked at
    parked,     // a whole request whose answer takes time
    sending,    // an answer that the kernel has not taken yet
    streaming,  // an answer that goes on
    closed
  };

  Connection(Http& http, Commons& commons, evhttp_connection* evcon, int fd,
             std::unique_ptr<Transport> transport);
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  [[nodiscard]] State state() const { return state_; }
  // The one place where the state changes.
  void enter(State next);
  // A request waits for its answer.
  [[nodiscard]] bool is_open() const { return state_ == State::asking || state_ == State::parked; }

  // Some of the next request is here.
  [[nodiscard]] bool has_begun() const { return has_begun_; }

  // Its request is a brief one, of which evhttp does not know.
  [[nodiscard]] bool is_brief() const { return !request && state_ != State::reading; }

  // Its client has sent all that it may send for now, and hears when it hears.
  [[nodiscard]] bool is_waiting() const {
    return state_ == State::parked || state_ == State::streaming;
  }

  // Moves the socket from the bufferevent into our hands; back before the end.
  void take_socket();
  void leave_socket();
  [[nodiscard]] bufferevent* bev() const;

  void await_request();  // what comes next is the beginning of one
  void keep_reading();   // after a pause; what is there already is read as well
  void go_on();          // with what came behind a brief request, in its turn
  void read_while_waiting();
  // Whether the peer has left. To be asked before an answer leaves: afterwards it
  // may have closed because it has all that it wanted.
  [[nodiscard]] bool has_left();
  // Sends what the kernel takes and queues the rest; true when none is left.
  bool send_now(std::string_view bytes);
  // Ends it at once, which frees it.
  void cut_off();

  // "192.0.2.1:4711", "[2001:db8::1]:4711", or "unix".
  [[nodiscard]] std::string_view peer();
  [[nodiscard]] Identity identity() const;
  [[nodiscard]] bool hears_refusals() const { return transport_->is_cheap(); }
  [[nodiscard]] const char* complaint() const { return transport_->complaint(); }

  Http& http;
  evhttp_connection* const evcon;
  const int fd;
  DeadlinePlace deadline;
  const char* surplus = nullptr;  // above a cap: why; one refusal, then closed
  Peers::Peer* counted = nullptr;
  evhttp_request* request = nullptr;  // while there is one that evhttp knows
  size_t header_limit = 0;            // bytes of a request before its body, as evhttp has it
  Ticket ticket = 0;                  // of the request, or of the last one
  Mark mark{};
  std::optional<HttpMethod> method{};  // of the request, where evhttp knows another one
  bool old = false;                    // its client speaks HTTP/1.0
  bool closes = false;                 // the connection, with the answer
  bool unread = false;                 // a body follows that evhttp does not read
  Slices slices{};                     // sending: what makes the rest of the answer
  std::optional<Time> taken_at{};      // streaming, watched: when its client had all bytes
  bool watched = false;                // sending: somebody wants to hear of the delivery
  std::unique_ptr<Digest> secret{};    // that came with the request and was good

 private:
  static void on_readable(int, short, void* self) noexcept;
  static void on_writable(int, short, void* self) noexcept;
  static void on_output(evbuffer* output, const evbuffer_cb_info* change, void* self) noexcept;

  void watch(event& awaited);
  static void end_soon(event& by);
  void read_some();
  void write_some();
  void want_to_write();
  void not_read(Io::State state);
  void read_on();
  void hand_over();
  void skip_empty_lines();
  void admit_method();
  [[nodiscard]] size_t read_mark() const;

  Commons& commons_;
  std::unique_ptr<Transport> transport_;
  State state_ = State::reading;
  Event readable_{};
  Event writable_{};           // once there was something that had to wait
  size_t waiting_mark_ = 0;    // parked, streaming: bytes of input at which it is cut off
  bool at_first_line_ = true;  // of a request, whose first word was not seen yet
  bool has_begun_ = false;
  bool has_read_ = false;
  bool goes_on_ = false;  // evhttp has not been told of its input
  bool pauses_ = false;   // it is not read from: it has sent too much ahead
  bool reads_when_writable_ = false;
  bool writes_when_readable_ = false;
  std::string peer_{};  // once somebody has asked for it
};

// A bufferevent without a socket: below zero libevent watches nothing, and the
// number still tells whose it is. The inverse of itself.
constexpr int detached(int fd) { return -2 - fd; }

}  // namespace distributex
