// SPDX-License-Identifier: MIT
// The threads of the watch, and its judgement.
#include "support/livez.h"

#include <algorithm>

#include "support/http.h"

namespace distributex::test {

namespace {

constexpr milliseconds pace{10};
constexpr int share = 4;  // a busy daemon waits longer for its turn than an idle one

}  // namespace

milliseconds LivezWatch::Answers::slowest() const {
  return took.empty() ? milliseconds{0} : *std::max_element(took.begin(), took.end());
}

LivezWatch::LivezWatch(const std::vector<uint16_t>& ports)
    : control_("pools:\n  - name: control\n") {
  if (!control_.start()) {
    return;
  }
  threads_.emplace_back([this] { ask(control_.port(), controls_); });
  for (const uint16_t port : ports) {
    threads_.emplace_back([this, port] { ask(port, watched_); });
  }
}

void LivezWatch::stop() {
  {
    const std::lock_guard guard(lock_);
    stopping_ = true;
  }
  stopped_.notify_all();
  for (std::thread& thread : threads_) {
    if (thread.joinable()) {
      thread.join();
    }
  }
}

void LivezWatch::ask(uint16_t port, Answers& answers) {
  std::unique_lock guard(lock_);
  while (!stopping_) {
    guard.unlock();
    const auto asked = Clock::now();
    const Response response = fetch(port, "/livez");
    const auto took = std::chrono::duration_cast<milliseconds>(Clock::now() - asked);
    guard.lock();
    answers.took.push_back(took);
    if (response.status != 200) {
      ++answers.failures;
    }
    stopped_.wait_for(guard, pace, [this] { return stopping_; });
  }
}

bool LivezWatch::is_quick(milliseconds limit) const {
  const std::lock_guard guard(lock_);
  return !watched_.took.empty() && !controls_.took.empty() && watched_.failures == 0 &&
         watched_.slowest() <= limit + share * controls_.slowest();
}

std::string LivezWatch::report() const {
  const std::lock_guard guard(lock_);
  if (watched_.took.empty() || controls_.took.empty()) {
    return "no answer";
  }
  std::vector<milliseconds> took = watched_.took;
  std::sort(took.begin(), took.end());
  return std::to_string(took.size()) + " answers, " + std::to_string(watched_.failures) +
         " failures, half within " + std::to_string(took[took.size() / 2].count()) +
         " ms, all within " + std::to_string(took.back().count()) + " ms; the control " +
         std::to_string(controls_.took.size()) + " answers, all within " +
         std::to_string(controls_.slowest().count()) + " ms";
}

}  // namespace distributex::test
