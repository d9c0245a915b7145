// SPDX-License-Identifier: MIT
// The thread that computes TLS handshakes. A step of one costs up to some milliseconds with
// a long RSA key: on the loop's thread the requests of others would wait for it.
#pragma once

#include <pthread.h>

#include <condition_variable>
#include <deque>
#include <mutex>
#include <vector>

#include "base/handle.h"
#include "http/openssl.h"

namespace distributex {

// The next step of one handshake: as far as the bytes that have arrived allow.
struct HandshakeStep {
  SSL* ssl = nullptr;
  event* when_done = nullptr;  // made active, with EV_READ, in a pass of the loop
  // The outcome. reason is OpenSSL's reason of the error, 0: none.
  int ssl_error = SSL_ERROR_NONE;
  int reason = 0;
  // Of the loop's thread alone: post() was called and withdraw() not, and the outcome is
  // not known yet.
  bool is_posted = false;
};

class Handshaker {
 public:
  explicit Handshaker(event_base* base);
  ~Handshaker();
  Handshaker(const Handshaker&) = delete;
  Handshaker& operator=(const Handshaker&) = delete;

  // Both are called on the loop's thread. From post() until when_done is active, or until
  // withdraw() returns, nobody else may use the step and its ssl. Steps are done in the
  // order of post(). withdraw() waits if the thread is at this very step.
  void post(HandshakeStep& step);
  void withdraw(HandshakeStep& step);

 private:
  static void* run(void* self) noexcept;
  static void on_done(int, short, void* self) noexcept;
  void work();

  Fd wake_;
  Event woken_;
  std::mutex lock_;
  std::condition_variable changed_;
  std::deque<HandshakeStep*> queue_;
  HandshakeStep* running_ = nullptr;
  std::vector<HandshakeStep*> done_;
  bool stopping_ = false;
  pthread_t thread_;
};

}  // namespace distributex
