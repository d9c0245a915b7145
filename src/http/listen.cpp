// SPDX-License-Identifier: MIT
// evhttp uses the listener's one callback argument for itself. So the error callback finds
// its object in a linked list of all bound listeners, which are few.
#include "http/listen.h"

#include <event2/listener.h>
#include <event2/util.h>

#include <cerrno>
#include <cstring>

#include "base/log.h"

namespace distributex {

namespace {

constexpr timeval pause_length{.tv_sec = 0, .tv_usec = 100'000};

constinit BoundListener* first = nullptr;

}  // namespace

std::unique_ptr<BoundListener> BoundListener::bind(event_base* base, evhttp* http,
                                                   Listener listener) {
  std::unique_ptr<BoundListener> bound{new BoundListener};  // its constructor is private
  bound->http_ = http;
  bound->address_ = std::move(listener.address);
  bound->unix_path_ = std::move(listener.unix_path);
  bound->resume_.reset(evtimer_new(base, on_resume, bound.get()));
  // Inherited sockets may block; a blocking accept would stop the loop.
  if (evutil_make_socket_nonblocking(listener.fd.get()) != 0) {
    return nullptr;
  }
  // Disabled at first: evhttp would enable it and ignore a failure.
  bound->listener_ = evconnlistener_new(
      base, nullptr, nullptr, LEV_OPT_CLOSE_ON_FREE | LEV_OPT_CLOSE_ON_EXEC | LEV_OPT_DISABLED, 0,
      listener.fd.get());
  if (!bound->listener_) {
    return nullptr;
  }
  (void)listener.fd.release();
  evconnlistener_set_error_cb(bound->listener_, on_error);
  bound->socket_ = evhttp_bind_listener(http, bound->listener_);
  if (!bound->socket_) {
    evconnlistener_free(bound->listener_);
    return nullptr;
  }
  if (evconnlistener_enable(bound->listener_) != 0) {
    evhttp_del_accept_socket(http, std::exchange(bound->socket_, nullptr));
    return nullptr;
  }
  bound->next_ = std::exchange(first, bound.get());
  return bound;
}

BoundListener::~BoundListener() {
  if (!socket_) {
    return;
  }
  BoundListener** link = &first;
  while (*link != this) {
    link = &(*link)->next_;
  }
  *link = next_;
  evhttp_del_accept_socket(http_, socket_);
  if (!unix_path_.empty()) {
    unlink(unix_path_.c_str());
  }
}

void BoundListener::on_error(evconnlistener* listener, void*) noexcept {
  const int error = errno;
  BoundListener* bound = first;
  while (bound && bound->listener_ != listener) {
    bound = bound->next_;
  }
  if (!bound) {
    return;
  }
  log_line(Level::warning, "accept paused address=%s error=\"%s\"", bound->address_.c_str(),
           std::strerror(error));
  evconnlistener_disable(listener);
  evtimer_add(bound->resume_.get(), &pause_length);
}

void BoundListener::on_resume(int, short, void* self) noexcept {
  BoundListener& bound = *static_cast<BoundListener*>(self);
  if (evconnlistener_enable(bound.listener_) != 0) {
    evtimer_add(bound.resume_.get(), &pause_length);
  }
}

}  // namespace distributex
