// SPDX-License-Identifier: MIT
#include "http/handshaker.h"

#include <fcntl.h>
#include <openssl/err.h>
#include <unistd.h>

#include <algorithm>
#include <utility>

#include "base/event.h"
#include "base/thread.h"

namespace distributex {

Handshaker::Handshaker(event_base* base)
    : socket_(waker_.copy()),
      woken_(event_new(base, waker_.fd(), EV_READ | EV_PERSIST, on_done, this)),
      thread_(start_thread("handshakes", run, this)) {
  must_add(woken_.get());
}

Handshaker::~Handshaker() {
  {
    const std::lock_guard guard(lock_);
    stopping_ = true;
  }
  changed_.notify_all();
  pthread_join(thread_, nullptr);
}

void Handshaker::post(HandshakeStep& step) {
  step.stage = HandshakeStep::Stage::posted;
  {
    const std::lock_guard guard(lock_);
    queue_.push_back(&step);
  }
  changed_.notify_all();
}

void Handshaker::drop(std::unique_ptr<HandshakeStep> step) {
  if (step->stage != HandshakeStep::Stage::posted) {
    return;
  }
  const std::lock_guard guard(lock_);
  if (running_ == step.get()) {
    dropped_ = std::move(step);
    return;
  }
  std::erase(queue_, step.get());
  std::erase(done_, step.get());
}

void Handshaker::on_done(int, short, void* self) noexcept {
  Handshaker& handshaker = *static_cast<Handshaker*>(self);
  handshaker.waker_.calm();
  std::vector<HandshakeStep*> done;
  {
    const std::lock_guard guard(handshaker.lock_);
    done.swap(handshaker.done_);
  }
  for (HandshakeStep* step : done) {
    step->stage = HandshakeStep::Stage::done;
    event_active(step->when_done, EV_READ, 0);
  }
}

// --- the thread ---

void* Handshaker::run(void* self) noexcept {
  static_cast<Handshaker*>(self)->work();
  return nullptr;
}

// The queue of errors is the thread's: it is emptied before the step, and read behind it.
void Handshaker::compute(HandshakeStep& step) {
  ERR_clear_error();
  const int result = SSL_do_handshake(step.ssl.get());
  step.ssl_error = result == 1 ? SSL_ERROR_NONE : SSL_get_error(step.ssl.get(), result);
  step.reason = ERR_GET_REASON(ERR_peek_last_error());
  ERR_clear_error();
}

void Handshaker::work() {
  std::unique_lock guard(lock_);
  for (;;) {
    changed_.wait(guard, [this] { return stopping_ || !queue_.empty(); });
    if (stopping_) {
      return;
    }
    running_ = queue_.front();
    queue_.pop_front();
    const bool copied = dup3(running_->socket, socket_.get(), O_CLOEXEC) >= 0;
    guard.unlock();
    if (copied) {
      compute(*running_);
      dup3(waker_.fd(), socket_.get(), O_CLOEXEC);
    } else {
      running_->ssl_error = SSL_ERROR_SYSCALL;
    }
    guard.lock();
    HandshakeStep* step = std::exchange(running_, nullptr);
    if (std::unique_ptr<HandshakeStep> dropped = std::move(dropped_)) {
      guard.unlock();
      dropped.reset();
      guard.lock();
      continue;
    }
    done_.push_back(step);
    if (done_.size() == 1) {
      waker_.wake();
    }
  }
}

}  // namespace distributex
