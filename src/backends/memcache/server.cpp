// SPDX-License-Identifier: MIT
// Logs what becomes of a memcached: up, down, and settings that are unwise.
#include "backends/memcache/server.h"

#include <utility>

#include "base/event.h"
#include "base/log.h"

namespace distributex {

namespace {
// The worker reports at least once a second; one of its calls may add some time.
constexpr auto silence_limit = std::chrono::milliseconds(1600);
// If this process stood still, the worker could not report either: wait once more.
constexpr auto second_look = std::chrono::milliseconds(200);
}  // namespace

MemcacheServer::MemcacheServer(event_base* base, const MemcacheAddress& address,
                               const MemcacheSettings& settings, std::function<void()> on_results,
                               Time now)
    : name_(address_name(address)),
      on_results_(std::move(on_results)),
      trouble_(sentence("not connected yet")),
      silent_at_(now + silence_limit),
      worker_(address, settings),
      wake_(event_new(base, worker_.wake_fd(), EV_READ | EV_PERSIST, on_wake, this)) {
  must_add(wake_.get());
}

void MemcacheServer::on_wake(int, short, void* self) noexcept {
  static_cast<MemcacheServer*>(self)->on_results_();
}

std::string MemcacheServer::sentence(const std::string& reason) const {
  return "memcached " + name_ + ": " + reason;
}

void MemcacheServer::note(const LinkUp& up, Time now) {
  const MemcacheFacts& facts = up.facts;
  const char* name = name_.c_str();
  clock_apart_ = facts.clock_apart;
  log_line(Level::info, "memcached up server=%s version=%s", name, facts.version.c_str());
  if (facts.is_old) {
    log_line(Level::warning, "memcached is old server=%s version=%s tested_from=1.5.6", name,
             facts.version.c_str());
  }
  if (facts.evicts) {
    log_line(Level::warning,
             "memcached may drop leases when its memory is full: start it with -M server=%s", name);
  }
  if (facts.clock_apart != 0) {
    log_line(Level::warning, "memcached has another time of day server=%s ahead_seconds=%lld", name,
             static_cast<long long>(facts.clock_apart));
  }
  reason_.clear();
  note_alive(now);
}

void MemcacheServer::note_news(Time now) {
  silent_at_ = now + silence_limit;
  doubted_ = false;
}

void MemcacheServer::note_alive(Time now) {
  note_news(now);
  if (!trouble_) {
    return;
  }
  trouble_.reset();
  if (!reason_.empty()) {
    log_line(Level::info, "memcached answers again server=%s", name_.c_str());
  }
  reason_.clear();
}

void MemcacheServer::note(const LinkDown& down, Time now) {
  note_news(now);
  set_trouble(down.reason);
}

void MemcacheServer::set_trouble(std::string reason) {
  if (!trouble_ || reason != reason_) {
    log_line(Level::warning, "memcached down server=%s reason=\"%s\"", name_.c_str(),
             reason.c_str());
  }
  trouble_ = sentence(reason);
  reason_ = std::move(reason);
}

Time MemcacheServer::silent_at() const { return trouble_ ? Time::max() : silent_at_; }

void MemcacheServer::watch(Time now) {
  if (now < silent_at()) {
    return;
  }
  if (!std::exchange(doubted_, true)) {
    silent_at_ = now + second_look;
    return;
  }
  set_trouble("no answer in time");
  worker_.interrupt();
}

}  // namespace distributex
