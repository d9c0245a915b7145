// SPDX-License-Identifier: MIT
// A listening socket bound to evhttp that pauses, instead of spinning, while
// no descriptor is free. Belongs to http.cpp.
#pragma once

#include <memory>
#include <string>

#include "base/handle.h"
#include "http/listener.h"

struct evconnlistener;

namespace distributex {

class BoundListener {
 public:
  // Nothing when evhttp refuses; errno says why.
  [[nodiscard]] static std::unique_ptr<BoundListener> bind(event_base* base, evhttp* http,
                                                           Listener listener);
  // Stops listening. To be destroyed before its evhttp.
  ~BoundListener();
  BoundListener(const BoundListener&) = delete;
  BoundListener& operator=(const BoundListener&) = delete;

 private:
  BoundListener() = default;
  static void on_error(evconnlistener* listener, void*) noexcept;
  static void on_resume(int, short, void* self) noexcept;

  evhttp* http_ = nullptr;
  evconnlistener* listener_ = nullptr;  // evhttp's
  evhttp_bound_socket* socket_ = nullptr;
  std::string address_;
  std::string unix_path_;
  Event resume_;
  BoundListener* next_ = nullptr;
};

}  // namespace distributex
