// SPDX-License-Identifier: MIT
// The watchdog's timer is an event of the loop like any other. If the loop hangs, no sign of
// life is sent, and the service manager restarts the daemon; a backend out of reach is no
// reason for that.
#include "daemon/supervision.h"

#include <utility>

#include "base/clock.h"
#include "daemon/notify.h"

namespace distributex {

namespace {

constexpr timeval status_interval{.tv_sec = 2, .tv_usec = 0};

}  // namespace

Supervision::Supervision(event_base* base, std::function<std::string()> status)
    : status_(std::move(status)),
      watchdog_(event_new(base, -1, EV_PERSIST, on_watchdog, nullptr)),
      status_timer_(event_new(base, -1, EV_PERSIST, on_status, this)) {}

void Supervision::ready() {
  if (!has_service_manager()) {
    return;
  }
  tell_service_manager("READY=1\n" + changed_status());
  event_add(status_timer_.get(), &status_interval);
  if (const auto interval = watchdog_interval()) {
    const timeval every = to_timeval(*interval);
    event_add(watchdog_.get(), &every);
  }
}

void Supervision::reloading() {
  const auto now =
      std::chrono::duration_cast<std::chrono::microseconds>(steady_now().time_since_epoch());
  tell_service_manager("RELOADING=1\nMONOTONIC_USEC=" + std::to_string(now.count()));
}

void Supervision::reloaded() {
  if (has_service_manager()) {
    tell_service_manager("READY=1\n" + changed_status());
  }
}

void Supervision::stopping() {
  event_del(status_timer_.get());
  tell_service_manager("STOPPING=1\nSTATUS=stopping");
}

// Returns an assignment, or an empty text if the status is the one that was told last.
std::string Supervision::changed_status() {
  std::string text = status_();
  if (text == told_) {
    return {};
  }
  told_ = std::move(text);
  return "STATUS=" + told_;
}

void Supervision::on_watchdog(int, short, void*) noexcept { tell_service_manager("WATCHDOG=1"); }

void Supervision::on_status(int, short, void* self) noexcept {
  if (const std::string text = static_cast<Supervision*>(self)->changed_status(); !text.empty()) {
    tell_service_manager(text);
  }
}

}  // namespace distributex
