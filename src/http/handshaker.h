// SPDX-License-Identifier: MIT
// The thread that computes TLS handshakes. A step of one costs up to some milliseconds with
// a long RSA key: on the loop's thread the requests of others would wait for it.
#pragma once

#include <condition_variable>
#include <deque>
#include <memory>
#include <mutex>
#include <vector>

#include "base/handle.h"
#include "base/thread.h"
#include "http/openssl.h"

namespace distributex {

// An unfinished handshake, and the outcome of its last step. A step goes as far as the bytes
// that have arrived allow.
struct HandshakeStep {
  enum class Stage {
    idle,    // no step was asked for since the last outcome was taken
    posted,  // the thread has it, or will
    done     // ssl_error and reason are the outcome
  };

  Ssl ssl;  // over Handshaker::socket()
  int socket = -1;
  event* when_done = nullptr;  // made active, with EV_READ, in a pass of the loop
  Stage stage = Stage::idle;   // read and written by the loop's thread alone
  int ssl_error = SSL_ERROR_NONE;
  int reason = 0;  // OpenSSL's reason of the error, 0: none
};

class Handshaker {
 public:
  explicit Handshaker(event_base* base);
  ~Handshaker();
  Handshaker(const Handshaker&) = delete;
  Handshaker& operator=(const Handshaker&) = delete;

  // While a step is computed, this descriptor is a copy of its socket: so the connection may
  // be closed meanwhile, and all handshakes together need one more descriptor.
  [[nodiscard]] int socket() const { return socket_.get(); }

  // Both are called on the loop's thread, and never wait for the handshakes' thread. Steps
  // are done in the order of post(). From post() until when_done is active nobody else may
  // use the step's ssl. drop() frees the step: at once, or, if the thread is at this very
  // step, when it is done. The socket must stay open until then or until drop().
  void post(HandshakeStep& step);
  void drop(std::unique_ptr<HandshakeStep> step);

 private:
  static void* run(void* self) noexcept;
  static void on_done(int, short, void* self) noexcept;
  void work();
  static void compute(HandshakeStep& step);

  Waker waker_;
  Fd socket_;
  Event woken_;
  std::mutex lock_;
  std::condition_variable changed_;
  std::deque<HandshakeStep*> queue_;
  HandshakeStep* running_ = nullptr;
  std::unique_ptr<HandshakeStep> dropped_;  // the running one, if nobody waits for it any more
  std::vector<HandshakeStep*> done_;
  bool stopping_ = false;
  pthread_t thread_;
};

}  // namespace distributex
