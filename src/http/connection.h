// SPDX-License-Identifier: MIT
// One HTTP connection: its state between requests and replies, and its bytes. It reads
// from the transport into evhttp's input buffer, and writes evhttp's output buffer and
// whole replies to the transport. The bufferevent of evhttp has no socket.
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
  std::array<size_t, 6> in_state{};  // number of connections, by Connection::State
  MixUp tls_on_plain{};
  size_t read_ahead = 0;            // at so many bytes of input a connection stops reading
  std::array<char, 16384> bytes{};  // the buffer of one read()
};

class Connection {
 public:
  enum class State {
    reading,    // there is no request, or an unfinished one
    asking,     // events_.request() runs for a whole request
    parked,     // a whole request waits for its answer
    sending,    // the kernel has not taken the whole answer yet
    streaming,  // a stream is open as the answer
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

  // Bytes of the next request have arrived.
  [[nodiscard]] bool has_begun() const { return has_begun_; }

  // The request is a brief one, of which evhttp does not know.
  [[nodiscard]] bool is_brief() const { return !request && state_ != State::reading; }

  // The client has sent a whole request, and its answer takes time or goes on.
  [[nodiscard]] bool is_waiting() const {
    return state_ == State::parked || state_ == State::streaming;
  }

  // take_socket() moves the socket from the bufferevent to this object. leave_socket() must
  // be called before evhttp frees the connection.
  void take_socket();
  void leave_socket();
  [[nodiscard]] bufferevent* bev() const;

  void await_request();  // the next byte is the first one of a request
  void keep_reading();   // reads again after a pause, also what the transport has already
  void go_on();          // hands evhttp, in the next pass, what came behind a brief request
  void read_while_waiting();
  // Whether the peer has left. To be asked before an answer is sent: afterwards the peer may
  // close because it has its answer.
  [[nodiscard]] bool has_left();
  // Sends what the kernel takes and queues the rest; returns true if no rest is left.
  bool send_now(std::string_view bytes);
  // Ends the connection at once, which frees this object.
  void cut_off();
  // Ends a new connection, of which nothing is read any more, in this pass of the loop.
  void shut_out();

  // "192.0.2.1:4711", "[2001:db8::1]:4711", or "unix".
  [[nodiscard]] std::string_view peer();
  [[nodiscard]] Identity identity() const;
  [[nodiscard]] bool hears_refusals() const { return transport_->is_cheap(); }
  [[nodiscard]] const char* complaint() const { return transport_->complaint(); }

  Http& http;
  evhttp_connection* const evcon;
  const int fd;
  DeadlinePlace deadline;
  const char* surplus = nullptr;  // above a limit: why; its request is refused, then it closes
  Peers::Peer* counted = nullptr;
  evhttp_request* request = nullptr;  // while evhttp has one; nullptr for a brief request
  size_t header_limit = 0;            // evhttp's limit of bytes before the body
  Ticket ticket = 0;                  // of the request, or of the last one
  Mark mark{};
  std::optional<HttpMethod> method{};  // of the request, if evhttp was shown another one
  bool old = false;                    // the client speaks HTTP/1.0
  bool closes = false;                 // the connection ends with the answer
  bool unread = false;                 // a body follows that evhttp does not read
  Slices slices{};                     // sending: makes the rest of the answer
  std::optional<Time> taken_at{};      // streaming, watched: when the client had all bytes
  bool watched = false;                // sending: events_.delivered or gone is to be called
  std::unique_ptr<Digest> secret{};    // digest of the request's good secret

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
  Event writable_{};           // made when bytes have to wait for the first time
  size_t waiting_mark_ = 0;    // parked, streaming: bytes of input at which it is cut off
  bool at_first_line_ = true;  // admit_method() has not seen the request's first word yet
  bool has_begun_ = false;
  bool has_read_ = false;
  bool goes_on_ = false;  // evhttp has not been told of its input
  bool pauses_ = false;   // the socket is not read: the client has sent too much ahead
  bool reads_when_writable_ = false;
  bool writes_when_readable_ = false;
  bool awaits_transport_ = false;  // the transport makes readable_ active
  std::string peer_{};             // made when it is asked for
};

// The descriptor that a bufferevent without a socket gets: libevent watches no negative
// number, and detached(detached(fd)) is fd again.
constexpr int detached(int fd) { return -2 - fd; }

}  // namespace distributex
