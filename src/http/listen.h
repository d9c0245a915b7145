// SPDX-License-Identifier: MIT
// A listening socket bound to evhttp. While the process has no free descriptor it pauses
// instead of spinning. For Http (server.h) only.
#pragma once

#include <memory>
#include <string>

#include "base/handle.h"
#include "http/listener.h"

struct evconnlistener;

namespace distributex {

class BoundListener {
 public:
  // Returns nullptr when libevent refuses the socket; errno says why.
  [[nodiscard]] static std::unique_ptr<BoundListener> bind(event_base* base, evhttp* http,
                                                           Listener listener);
  // Stops listening. The object must be destroyed before its evhttp.
  ~BoundListener();
  BoundListener(const BoundListener&) = delete;
  BoundListener& operator=(const BoundListener&) = delete;

 private:
  BoundListener() = default;
  static void on_error(evconnlistener* listener, void*) noexcept;
  static void on_resume(int, short, void* self) noexcept;

  evhttp* http_ = nullptr;
  evconnlistener* listener_ = nullptr;  // evhttp owns it
  evhttp_bound_socket* socket_ = nullptr;
  std::string address_;
  std::string unix_path_;
  Event resume_;
  BoundListener* next_ = nullptr;
};

}  // namespace distributex
