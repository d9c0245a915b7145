// SPDX-License-Identifier: MIT
// Owners of C handles. The line that creates a handle must put it into one of these.
#pragma once

#include <event2/buffer.h>
#include <event2/event.h>
#include <event2/http.h>
#include <unistd.h>

#include <memory>
#include <utility>

namespace distributex {

template <auto free_function>
struct FreeWith {
  template <typename T>
  void operator()(T* handle) const noexcept {
    free_function(handle);
  }
};

using EventBase = std::unique_ptr<event_base, FreeWith<event_base_free>>;
using Event = std::unique_ptr<event, FreeWith<event_free>>;
using Evhttp = std::unique_ptr<evhttp, FreeWith<evhttp_free>>;
using Evbuffer = std::unique_ptr<evbuffer, FreeWith<evbuffer_free>>;

// Owns a file descriptor, and closes it in the destructor.
class Fd {
 public:
  Fd() = default;
  explicit Fd(int fd) : fd_(fd) {}
  Fd(Fd&& other) noexcept : fd_(other.release()) {}
  Fd& operator=(Fd&& other) noexcept {
    reset(other.release());
    return *this;
  }
  ~Fd() { reset(-1); }

  [[nodiscard]] int get() const { return fd_; }
  [[nodiscard]] explicit operator bool() const { return fd_ >= 0; }
  [[nodiscard]] int release() { return std::exchange(fd_, -1); }
  void reset(int fd) {
    if (fd_ >= 0) {
      close(fd_);
    }
    fd_ = fd;
  }

 private:
  int fd_ = -1;
};

}  // namespace distributex
